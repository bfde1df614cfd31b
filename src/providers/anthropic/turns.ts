import type { Block } from "./conversion.ts";
import { refused } from "./conversion.ts";
import type { Thought } from "./reasoning-details.ts";
import { ToolIds } from "./tool-ids.ts";

type OpenTurn = { readonly role: "user" | "assistant"; readonly results: Block[]; blocks: Block[] };

export type Turn = { readonly role: "user" | "assistant"; readonly content: readonly Block[] };

/** A tool call of the assistant: its block without id, the id as sent, and where it stands in the request. */
export type CallOfTurn = { readonly id: string; readonly param: string; readonly block: Block };

/** What an assistant's turn holds beside thinking, in its order. */
export type PartOfTurn = CallOfTurn | { readonly block: Block };

type Waiting = { readonly wireId: string; readonly param: string };

/**
 * Builds the turns of a conversation as Anthropic wants them: user and assistant take turns, and all results of one
 * assistant turn come first in the user turn after it, whatever the order they were sent in.
 */
export class Turns {
  readonly #turns: OpenTurn[] = [];
  readonly #ids = new ToolIds();
  #waiting = new Map<string, Waiting>();

  user(blocks: readonly Block[]): void {
    if (blocks.length > 0) this.#turnOf("user").blocks.push(...blocks);
  }

  assistant(parts: readonly PartOfTurn[], thoughts: readonly Thought[]): void {
    this.#refuseMissingResults();
    if (thoughts.length + parts.length === 0) return;
    const turn = this.#turnOf("assistant");
    const blocks = parts.map((part) => ("id" in part ? this.#called(part) : part.block));
    const whole = withThoughts(blocks, thoughts);
    if (whole === undefined) this.#forgetThoughts();
    turn.blocks.push(...(whole ?? blocks));
  }

  /** `param` is where the message stands in the request. */
  result(id: string | undefined, content: Block, param: string): void {
    const call = this.#waiting.get(id ?? "");
    if (id === undefined || call === undefined) {
      const message = "No tool call that waits for a result in the assistant message before has this id.";
      throw refused(`${param}.tool_call_id`, message);
    }
    this.#waiting.delete(id);
    this.#turnOf("user").results.push({ type: "tool_result", tool_use_id: call.wireId, ...content });
  }

  /** Call once, at the end. */
  finish(): readonly Turn[] {
    this.#refuseMissingResults();
    const turns = this.#turns
      .map(({ role, results, blocks }) => ({ role, content: [...results, ...blocks] }))
      .filter(({ content }) => content.length > 0);
    const last = turns.at(-1);
    if (last?.role === "assistant") trimEnd(last.content);
    return turns;
  }

  #called({ id, param, block }: CallOfTurn): Block {
    if (this.#waiting.has(id)) throw refused(`${param}.id`, "Two tool calls of one message have this id.");
    const wireId = this.#ids.take(id);
    this.#waiting.set(id, { wireId, param });
    return { type: "tool_use", id: wireId, ...block };
  }

  /**
   * Thinking may be left out from the start of a conversation on; a gap in it makes all that follows invalid.
   * https://platform.claude.com/docs/en/models/fable-5-1/whats-new-fable-5-1
   */
  #forgetThoughts(): void {
    for (const turn of this.#turns) turn.blocks = turn.blocks.filter((block) => !isThought(block));
  }

  #turnOf(role: OpenTurn["role"]): OpenTurn {
    const last = this.#turns.at(-1);
    if (last?.role === role) return last;
    const turn: OpenTurn = { role, results: [], blocks: [] };
    this.#turns.push(turn);
    return turn;
  }

  #refuseMissingResults(): void {
    for (const { param } of this.#waiting.values()) {
      throw refused(param, "This tool call has no `tool` message with its result.");
    }
  }
}

/**
 * Each thought where it stood, as Anthropic wants it back; undefined where that cannot be known. A client has one text
 * for all that an answer said: when no block is left to follow the last thought, that text was several.
 * https://platform.claude.com/docs/en/build-with-claude/thinking#preserving-thinking-blocks
 */
function withThoughts(blocks: readonly Block[], thoughts: readonly Thought[]): Block[] | undefined {
  const last = thoughts.at(-1)?.before ?? 0;
  if (last > 0 && last >= blocks.length) return undefined;
  const whole: Block[] = [];
  let taken = 0;
  for (const { block, before } of thoughts) {
    whole.push(...blocks.slice(taken, before), block);
    taken = before;
  }
  return [...whole, ...blocks.slice(taken)];
}

function isThought({ type }: Block): boolean {
  return type === "thinking" || type === "redacted_thinking";
}

/**
 * What the model is to go on with is refused when it ends in white space.
 * https://github.com/tailcallhq/forgecode/issues/1872
 */
function trimEnd(blocks: Block[]): void {
  const last = blocks.at(-1);
  const text = last?.["type"] === "text" ? last["text"] : undefined;
  if (typeof text === "string") blocks.splice(-1, 1, { ...last, text: text.trimEnd() });
}
