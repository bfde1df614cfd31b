import { isJsonObject } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";
import type { AnswerView } from "../wire.ts";
import { textOf } from "./exact-json.ts";
import { silentRefusal } from "./finish.ts";
import { Frames } from "./frames.ts";
import { redactedThinking, signedThinking } from "./reasoning-details.ts";
import { jsonHelperName } from "./structured-output.ts";

type OpenThinking = { readonly kind: "thinking"; text: string; signature: string };

/** A tool call, or the helper for JSON output, whose arguments are content and which has no position. */
type OpenTool = {
  readonly kind: "tool";
  readonly position: number | undefined;
  readonly input: string;
  hasFragments: boolean;
};

type OpenBlock = OpenThinking | OpenTool;

/** No more characters of an answer are kept for counting than this and one piece: about the longest that any model gives. */
const mostKept = 512 * 1024;

/** The content blocks of one streamed answer: which are open, what was shown of them, and the text they came to. */
export class StreamedBlocks {
  readonly frames: Frames;
  readonly #open = new Map<unknown, OpenBlock>();
  #pending = "";
  #isBegun = false;
  #toolCalls = 0;
  #output = "";
  #outputLength = 0;
  #hasOutput = false;

  constructor(view: AnswerView) {
    this.frames = new Frames(view);
  }

  get hasOutput(): boolean {
    return this.#hasOutput;
  }

  get hasToolCalls(): boolean {
    return this.#toolCalls > 0;
  }

  /** Concatenation makes a rope, so a long answer costs no copies until someone counts it. */
  outputText(): string {
    return this.#output;
  }

  get outputLength(): number {
    return this.#outputLength;
  }

  /** The frames since the last time. */
  takeFrames(): string {
    const frames = this.#pending;
    this.#pending = "";
    return frames;
  }

  /** Shows the role, once. */
  begin(): void {
    if (this.#isBegun) return;
    this.#isBegun = true;
    this.#pending += this.frames.role();
  }

  start(index: unknown, block: unknown): void {
    if (!isJsonObject(block)) return;
    this.stop(index);
    switch (block["type"]) {
      case "text":
        return this.#text(block["text"]);
      case "thinking":
        this.#open.set(index, { kind: "thinking", text: "", signature: textOf(block["signature"]) ?? "" });
        return this.#thinking(index, block["thinking"]);
      case "redacted_thinking":
        return this.#show(this.frames.reasoningDetail(redactedThinking(Number(index), dataOf(block))));
      case "tool_use":
        return this.#startTool(index, block);
    }
  }

  delta(index: unknown, delta: unknown): void {
    if (!isJsonObject(delta)) return;
    switch (delta["type"]) {
      case "text_delta":
        return this.#text(delta["text"]);
      case "input_json_delta":
        return this.#fragment(index, delta["partial_json"]);
      case "thinking_delta":
        return this.#thinking(index, delta["thinking"]);
      case "signature_delta": {
        const block = this.#open.get(index);
        if (block?.kind === "thinking") block.signature += textOf(delta["signature"]) ?? "";
      }
    }
  }

  /** A tool without any fragment has the input it began with; a block of thinking is given out whole, for the way back. */
  stop(index: unknown): void {
    const block = this.#open.get(index);
    if (block === undefined) return;
    if (block.kind === "tool") {
      if (!block.hasFragments) this.#fragment(index, block.input);
    } else if (block.signature !== "") {
      this.#show(this.frames.reasoningDetail(signedThinking(Number(index), block.text, block.signature)));
    }
    this.#open.delete(index);
  }

  stopAll(): void {
    for (const index of this.#open.keys()) this.stop(index);
  }

  refuse(explanation: string): void {
    this.#show(this.frames.refusal(explanation === "" ? silentRefusal : explanation));
    this.#count(explanation);
    this.#hasOutput = true;
  }

  #startTool(index: unknown, block: JsonObject): void {
    const name = textOf(block["name"]) ?? "";
    const input = JSON.stringify(isJsonObject(block["input"]) ? block["input"] : {});
    const isHelper = name === jsonHelperName;
    const position = isHelper ? undefined : this.#toolCalls++;
    this.#open.set(index, { kind: "tool", position, input, hasFragments: false });
    if (position === undefined) return;
    this.#show(this.frames.toolCall(position, textOf(block["id"]) ?? "", name));
    this.#count(name);
    this.#hasOutput = true;
  }

  #fragment(index: unknown, fragment: unknown): void {
    const block = this.#open.get(index);
    if (block?.kind !== "tool" || typeof fragment !== "string" || fragment === "") return;
    block.hasFragments = true;
    if (block.position === undefined) return this.#text(fragment);
    this.#show(this.frames.toolArguments(block.position, fragment));
    this.#count(fragment);
  }

  #text(text: unknown): void {
    if (typeof text !== "string" || text === "") return;
    this.#show(this.frames.content(text));
    this.#count(text);
    this.#hasOutput = true;
  }

  #thinking(index: unknown, text: unknown): void {
    if (typeof text !== "string" || text === "") return;
    const block = this.#open.get(index);
    if (block?.kind === "thinking") block.text += text;
    this.#show(this.frames.reasoning(text));
    this.#count(text);
    this.#hasOutput = true;
  }

  #count(output: string): void {
    this.#outputLength += output.length;
    if (this.#output.length < mostKept) this.#output += output;
  }

  #show(frame: string): void {
    this.begin();
    this.#pending += frame;
  }
}

function dataOf(block: JsonObject): string {
  return textOf(block["data"]) ?? "";
}
