import type { ToolCall } from "../core/chat.ts";

/** What a chat answer says of the balance at its end; a stream says it in its last chunk. */
export type BalanceNote = {
  readonly _remaining_credits?: number;
  /** True when the balance runs out soon. */
  readonly _balance_warning?: boolean;
  /** Present when the balance was too small for the answer that was asked for. */
  readonly _limited_by?: string;
};

export type ChatUsage = {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
};

export type ChatAnswer = BalanceNote & {
  readonly id: string;
  readonly model: string;
  readonly choices: readonly {
    readonly index: number;
    readonly message: {
      readonly role: string;
      readonly content?: string | null;
      readonly refusal?: string | null;
      readonly tool_calls?: readonly ToolCall[] | null;
    };
    readonly finish_reason: string | null;
  }[];
  readonly usage?: ChatUsage;
};

export type ChatChunk = BalanceNote & {
  readonly id: string;
  readonly model: string;
  readonly choices: readonly {
    readonly index: number;
    readonly delta: { readonly content?: string | null; readonly refusal?: string | null };
    readonly finish_reason?: string | null;
  }[];
  readonly usage?: ChatUsage | null;
};
