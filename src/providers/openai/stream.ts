import { isAscii, isUtf8 } from "node:buffer";
import { isJsonObject } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";
import { shapeOf } from "../foreign-text.ts";
import { ServerEvents } from "../server-events.ts";
import type { AnswerView, ReportedUsage, StreamTranslation, Target, UpstreamFault } from "../wire.ts";
import { needsShaping, shapedMembers } from "./answer-members.ts";
import type { Shape } from "./answer-members.ts";
import { faultOfChoice, unreadableFault } from "./answer.ts";
import { CallNumbers } from "./call-numbers.ts";
import { hasOutput, outputOf } from "./choice-output.ts";
import { errorIn, faultOfError } from "./fault.ts";
import { isFinished, plainlyFiltered, withoutEmptyFinish } from "./finish-reasons.ts";
import { FrameTemplate } from "./frame-template.ts";
import { OutputTally } from "./output-tally.ts";
import { readUsage } from "./usage.ts";

/** Frames that follow a finish reason without new content are kept with it, up to this size. */
const mostKeptBytes = 1024 * 1024;
/** After so many tries in a row without a frame that fits a template, no more are made. */
const mostUselessTemplates = 16;

/** OpenAI's stream nearly as it came: frames are read once, and only those that must change are written anew. */
export class OpenaiStream implements StreamTranslation {
  readonly encoding = "latin1";
  readonly #shape: Shape;
  readonly #target: Target;
  readonly #events = new ServerEvents((data, name) =>
    this.#onEvent(this.#isAscii ? data : wellFormed(data), name),
  );
  readonly #tally = new OutputTally();
  readonly #callNumbers = new CallNumbers();
  /** Of the choices that were asked for, by their index. */
  readonly #begun = new Set<number>();
  readonly #finished = new Set<number>();
  #out = "";
  #kept = "";
  /** The output of the kept frames, not counted so far; undefined when they have none. */
  #keptOutput: string | undefined;
  #template: FrameTemplate | undefined;
  #templatesLeft = mostUselessTemplates;
  #hasOutput = false;
  #hasFinish = false;
  #ranOut = false;
  #isDone = false;
  #isEnding = false;
  /** The last frame was not all there. */
  #isCut = false;
  /** Until a byte beyond ASCII comes, nothing can be wrong UTF-8. */
  #isAscii = true;
  #fault: UpstreamFault | undefined;
  #usage: ReportedUsage | undefined;

  constructor(view: AnswerView, target: Target) {
    this.#shape = { view, object: "chat.completion.chunk" };
    this.#target = target;
  }

  get complete(): boolean {
    if (this.#fault !== undefined) return false;
    if (this.#finished.size >= this.#shape.view.choices) return true;
    if (this.#isDone) return this.#hasFinish;
    // At its proper end an answer has as many choices as it began: not every provider gives all that were asked for.
    return this.#isEnding && !this.#isCut && this.#hasFinish && this.#finished.size === this.#begun.size;
  }

  get terminated(): boolean {
    return this.#isDone;
  }

  get fault(): UpstreamFault | undefined {
    return this.#fault;
  }

  get usage(): ReportedUsage | undefined {
    return this.#usage;
  }

  get hasOutput(): boolean {
    return this.#hasOutput;
  }

  get ranOut(): boolean {
    return this.#ranOut;
  }

  outputText(): string {
    return this.#tally.text();
  }

  get outputLength(): number {
    return this.#tally.characters;
  }

  push(bytes: Buffer): string {
    if (this.#isOver) return "";
    this.#isAscii &&= isAscii(bytes);
    this.#events.push(bytes.toString("latin1"));
    if (this.#events.tooLong && !this.#isOver)
      this.#fault = unreadableFault("an event of the stream is too long");
    return this.#takeOut();
  }

  end(): string {
    if (this.#isOver) return "";
    this.#isEnding = true;
    this.#events.end();
    return this.#takeOut();
  }

  closing(): string {
    return this.#fault === undefined ? this.#released() : "";
  }

  get #isOver(): boolean {
    return this.#fault !== undefined || this.#isDone;
  }

  #takeOut(): string {
    const out = this.#out;
    this.#out = "";
    return out;
  }

  #onEvent(data: string, name: string): void {
    if (this.#isOver) return;
    const content = name === "" ? this.#template?.contentOf(data) : undefined;
    if (content === undefined || content === "" || this.#template === undefined)
      return this.#readEvent(data, name);
    this.#templatesLeft = mostUselessTemplates;
    this.#flushKept();
    this.#hasOutput = true;
    // Short escapes stand for ASCII, so the text stays one character per byte.
    this.#tally.addLatin1(content.includes("\\") ? String(JSON.parse(`"${content}"`)) : content);
    this.#out += this.#template.written(data, content);
  }

  #readEvent(data: string, name: string): void {
    if (data.trim() === "[DONE]") {
      this.#isDone = true;
      return;
    }
    const parsed = parsedText(this.#textOf(data));
    const error = name === "error" ? (errorIn(parsed) ?? { message: shapeOf(data) }) : errorIn(parsed);
    if (error !== undefined) this.#fault = faultOfError(error);
    else if (isJsonObject(parsed)) this.#readFrame(data, parsed);
    // What was cut off in the middle of a frame is an unfinished stream, not an unreadable one.
    else if (this.#isEnding) this.#isCut = true;
    else this.#fault = unreadableFault(`not a JSON object in the stream: ${shapeOf(data)}`);
  }

  #readFrame(data: string, parsed: JsonObject): void {
    this.#usage = readUsage(parsed["usage"], this.#target.quirks) ?? this.#usage;
    const choices = choicesOf(parsed);
    // Usage frames, and Azure's first frame with its filter results, carry nothing for the customer.
    if (choices.length === 0) return;
    this.#fault = choices.map(faultOfChoice).find((fault) => fault !== undefined);
    if (this.#fault !== undefined) return;
    const frame = this.#written(data, parsed, choices);
    if (frame === undefined) this.#fault = unreadableFault("a member occurs twice in a frame");
    else this.#give(frame, choices);
  }

  /** At once, or when it must wait for `closing`: then. */
  #give(frame: string, choices: readonly JsonObject[]): void {
    const output = outputOfAll(choices);
    for (const choice of choices) this.#note(choice);
    if (choices.some(isFinished) || (this.#kept !== "" && output === undefined)) {
      this.#keep(frame, output);
      return;
    }
    this.#flushKept();
    this.#count(output);
    this.#out += frame;
  }

  #note(choice: JsonObject): void {
    const hasFinish = isFinished(choice);
    this.#hasFinish ||= hasFinish;
    this.#ranOut ||= choice["finish_reason"] === "length";
    const index = choice["index"] ?? 0;
    if (!Number.isSafeInteger(index) || Number(index) < 0 || Number(index) >= this.#shape.view.choices)
      return;
    this.#begun.add(Number(index));
    if (hasFinish) this.#finished.add(Number(index));
  }

  #count(output: string | undefined): void {
    if (output === undefined) return;
    this.#hasOutput = true;
    if (output !== "") this.#tally.add(output);
  }

  /**
   * Gemini, Ollama and DeepSeek tell the last content and the finish in one frame. A client that leaves before it is
   * given out does not pay for it.
   */
  #keep(frame: string, output: string | undefined): void {
    this.#kept += frame;
    if (output !== undefined) this.#keptOutput = (this.#keptOutput ?? "") + output;
    if (this.#kept.length > mostKeptBytes) this.#flushKept();
  }

  #flushKept(): void {
    if (this.#kept !== "") this.#out += this.#released();
  }

  #released(): string {
    const frames = this.#kept;
    this.#count(this.#keptOutput);
    this.#kept = "";
    this.#keptOutput = undefined;
    return frames;
  }

  #written(data: string, parsed: JsonObject, choices: readonly JsonObject[]): string | undefined {
    const righted = this.#callNumbers.righted(choices);
    const filtered = choices.some(isFinished) ? plainlyFiltered(righted ?? choices, "delta") : undefined;
    if (filtered !== undefined) return this.#shaped(data, parsed, { ...this.#shape, choices: filtered });
    if (righted === undefined) return this.#learned(data, parsed, choices) ?? this.#forwarded(data, parsed);
    // Which call a fragment belongs to is no longer told by its own text alone.
    this.#template = undefined;
    this.#templatesLeft = 0;
    return this.#shaped(data, parsed, { ...this.#shape, choices: withoutEmptyFinish(righted) ?? righted });
  }

  /** The frame as a template writes it that was made of it. Undefined when it is no good as one. */
  #learned(data: string, parsed: JsonObject, choices: readonly JsonObject[]): string | undefined {
    const isPlain = (parsed["usage"] ?? null) === null && !choices.some(isFinished);
    if (this.#templatesLeft === 0 || !isPlain || !choices.some((choice) => hasOutput(choice["delta"])))
      return undefined;
    this.#templatesLeft--;
    const template = FrameTemplate.of(data, parsed, (probe, probed) => this.#forwarded(probe, probed));
    const content = template?.contentOf(data);
    if (template === undefined || content === undefined) return undefined;
    this.#template = template;
    return template.written(data, content);
  }

  /** The whole frame in latin1, or undefined when it cannot be written. */
  #forwarded(data: string, parsed: JsonObject): string | undefined {
    const choices = withoutEmptyFinish(choicesOf(parsed));
    if (choices !== undefined) return this.#shaped(data, parsed, { ...this.#shape, choices });
    if (!needsShaping(parsed, this.#shape)) return `data: ${data.trim().replaceAll("\n", " ")}\n\n`;
    return this.#shaped(data, parsed, this.#shape);
  }

  #shaped(data: string, parsed: JsonObject, shape: Shape): string | undefined {
    const members = shapedMembers(this.#textOf(data), parsed, shape);
    return members === undefined ? undefined : `data: {${latin1Of(members).replaceAll("\n", " ")}}\n\n`;
  }

  #textOf(data: string): string {
    return this.#isAscii ? data : utf8Of(data);
  }
}

/** Undefined when there is none; "" when it has no text. */
function outputOfAll(choices: readonly JsonObject[]): string | undefined {
  if (!choices.some((choice) => hasOutput(choice["delta"]))) return undefined;
  return choices.map((choice) => outputOf(choice["delta"])).join("");
}

function choicesOf({ choices }: JsonObject): readonly JsonObject[] {
  return Array.isArray(choices) ? choices.filter(isJsonObject) : [];
}

function parsedText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const beyondAscii = /[\u0080-\uffff]/;

/** Bytes that are not UTF-8 become U+FFFD, as every reader of event streams takes them. */
function wellFormed(latin1: string): string {
  if (!beyondAscii.test(latin1)) return latin1;
  const bytes = Buffer.from(latin1, "latin1");
  return isUtf8(bytes) ? latin1 : Buffer.from(bytes.toString("utf8")).toString("latin1");
}

function utf8Of(latin1: string): string {
  return beyondAscii.test(latin1) ? Buffer.from(latin1, "latin1").toString("utf8") : latin1;
}

function latin1Of(text: string): string {
  return beyondAscii.test(text) ? Buffer.from(text).toString("latin1") : text;
}
