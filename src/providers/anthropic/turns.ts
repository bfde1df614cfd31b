import type { Block } from "./conversion.ts";
import { refused } from "./conversion.ts";
import { ToolIds } from "./tool-ids.ts";

type OpenTurn = { readonly role: "user" | "assistant"; readonly results: Block[]; readonly blocks: Block[] };

export type Turn = { readonly role: "user" | "assistant"; readonly content: readonly Block[] };

/** A tool call of the assistant: its block without id, the id as sent, and where it stands in the request. */
export type CallOfTurn = { readonly id: string; readonly param: string; readonly block: Block };

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

  assistant(blocks: readonly Block[], calls: readonly CallOfTurn[]): void {
    this.#refuseMissingResults();
    if (blocks.length + calls.length === 0) return;
    const turn = this.#turnOf("assistant");
    turn.blocks.push(...blocks);
    for (const { id, param, block } of calls) {
      if (this.#waiting.has(id)) throw refused(`${param}.id`, "Two tool calls of one message have this id.");
      const wireId = this.#ids.take(id);
      this.#waiting.set(id, { wireId, param });
      turn.blocks.push({ type: "tool_use", id: wireId, ...block });
    }
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
    return this.#turns.map(({ role, results, blocks }) => ({ role, content: [...results, ...blocks] }));
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
