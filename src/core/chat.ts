/**
 * Our inner chat language is OpenAI's chat completions wire: a translator maps it to a provider's wire once.
 * These types name the parts that some code of ours reads; everything else passes through as sent.
 */
export type ChatRole = "system" | "developer" | "user" | "assistant" | "tool" | "function";

export type ContentPart =
  | { readonly type: "text"; readonly text: string }
  | {
      readonly type: "image_url";
      readonly image_url: { readonly url: string; readonly detail?: string | undefined };
    }
  | { readonly type: "input_audio"; readonly input_audio: { readonly data: string; readonly format: string } }
  | {
      readonly type: "file";
      readonly file: {
        readonly file_data?: string | undefined;
        readonly file_id?: string | undefined;
        readonly filename?: string | undefined;
      };
    }
  | { readonly type: "refusal"; readonly refusal: string };

export type ToolCall = FunctionCall | CustomCall;

export type FunctionCall = {
  readonly id: string;
  readonly type: "function";
  readonly function: { readonly name: string; readonly arguments: string };
};

/** A call of a tool that takes any text. */
export type CustomCall = {
  readonly id: string;
  readonly type: "custom";
  readonly custom: { readonly name: string; readonly input: string };
};

export type ChatMessage = {
  readonly role: ChatRole;
  readonly content?: string | readonly ContentPart[] | null | undefined;
  readonly name?: string | undefined;
  readonly refusal?: string | null | undefined;
  readonly tool_calls?: readonly ToolCall[] | null | undefined;
  readonly tool_call_id?: string | undefined;
  /** Thinking as we gave it out earlier; providers with signed thinking want it back unchanged. */
  readonly reasoning_details?: readonly Readonly<Record<string, unknown>>[] | null | undefined;
};

export type ChatTool = FunctionTool | CustomTool;

export type CustomTool = {
  readonly type: "custom";
  readonly custom: {
    readonly name: string;
    readonly description?: string | undefined;
    readonly format?: Readonly<Record<string, unknown>> | null | undefined;
  };
};

export type FunctionTool = {
  readonly type: "function";
  readonly function: {
    readonly name: string;
    readonly description?: string | undefined;
    readonly parameters?: Readonly<Record<string, unknown>> | null | undefined;
    readonly strict?: boolean | null | undefined;
  };
};

export type ToolChoice =
  | "none"
  | "auto"
  | "required"
  | { readonly type: "function"; readonly function: { readonly name: string } }
  | { readonly type: string; readonly [more: string]: unknown };

export type ResponseFormat =
  | { readonly type: "text" }
  | { readonly type: "json_object" }
  | {
      readonly type: "json_schema";
      readonly json_schema: {
        readonly name: string;
        readonly description?: string | undefined;
        readonly schema?: Readonly<Record<string, unknown>> | undefined;
        readonly strict?: boolean | null | undefined;
      };
    };

/** The validated body. Optional members may be absent or null where OpenAI allows null. */
export type ChatRequest = {
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly max_tokens?: number | null | undefined;
  readonly max_completion_tokens?: number | null | undefined;
  readonly temperature?: number | null | undefined;
  readonly top_p?: number | null | undefined;
  readonly top_k?: number | null | undefined;
  readonly n?: number | null | undefined;
  readonly stop?: string | readonly string[] | null | undefined;
  readonly stream?: boolean | null | undefined;
  readonly stream_options?: { readonly include_usage?: boolean | undefined } | null | undefined;
  readonly tools?: readonly ChatTool[] | null | undefined;
  readonly tool_choice?: ToolChoice | null | undefined;
  readonly parallel_tool_calls?: boolean | null | undefined;
  readonly response_format?: ResponseFormat | null | undefined;
  readonly reasoning_effort?: string | null | undefined;
  readonly user?: string | null | undefined;
  readonly metadata?: Readonly<Record<string, string>> | null | undefined;
  readonly thinking?: Readonly<Record<string, unknown>> | null | undefined;
  readonly [more: string]: unknown;
};

/** One customer request for one chat model, as translators receive it. */
export type ChatCall = {
  readonly request: ChatRequest;
  /** Top-level member → its JSON text exactly as the customer sent it. No member occurs twice. */
  readonly raw: ReadonlyMap<string, string>;
  readonly stream: boolean;
  /** The most output tokens this call may produce per choice: what was quoted and held for. Always sent upstream. */
  readonly maxTokens: number;
};
