import type { JsonObject } from "../../core/json-object.ts";
import type { AnswerView } from "../wire.ts";
import type { FinishReason } from "./finish.ts";

/**
 * Writes the frames of one OpenAI stream. All that stays the same is written once; per frame only the text of the delta
 * goes through `JSON.stringify`, which also keeps line ends out of the frame.
 */
export class Frames {
  readonly #start: string;
  readonly #end = ',"logprobs":null,"finish_reason":null}]}\n\n';
  readonly #contentStart: string;
  readonly #reasoningStart: string;

  constructor({ id, created, model }: AnswerView) {
    const head = JSON.stringify({ id, object: "chat.completion.chunk", created, model });
    this.#start = `data: ${head.slice(0, -1)},"choices":[{"index":0,"delta":`;
    this.#contentStart = `${this.#start}{"content":`;
    this.#reasoningStart = `${this.#start}{"reasoning_content":`;
  }

  role(): string {
    return this.#frame('{"role":"assistant","content":""}');
  }

  content(text: string): string {
    return `${this.#contentStart}${JSON.stringify(text)}}${this.#end}`;
  }

  reasoning(text: string): string {
    return `${this.#reasoningStart}${JSON.stringify(text)}}${this.#end}`;
  }

  reasoningDetail(detail: JsonObject): string {
    return this.#frame(JSON.stringify({ reasoning_details: [detail] }));
  }

  refusal(text: string): string {
    return this.#frame(JSON.stringify({ refusal: text }));
  }

  toolCall(index: number, id: string, name: string): string {
    const call = { index, id, type: "function", function: { name, arguments: "" } };
    return this.#frame(JSON.stringify({ tool_calls: [call] }));
  }

  toolArguments(index: number, fragment: string): string {
    const text = JSON.stringify(fragment);
    return this.#frame(`{"tool_calls":[{"index":${index},"function":{"arguments":${text}}}]}`);
  }

  finish(reason: FinishReason): string {
    return `${this.#start}{},"logprobs":null,"finish_reason":${JSON.stringify(reason)}}]}\n\n`;
  }

  #frame(delta: string): string {
    return this.#start + delta + this.#end;
  }
}
