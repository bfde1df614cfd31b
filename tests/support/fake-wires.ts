/** The two wires the fake upstream speaks: complete frames and whole answers as their vendors document them. */
export type WireName = "openai" | "anthropic";

export type FakeUsage = {
  readonly prompt: number;
  readonly cached: number;
  readonly completion: number;
  readonly reasoning: number;
};

export type FakeAnswer = {
  readonly model: string;
  readonly usage: FakeUsage;
  /** Why it ended, in OpenAI's words. */
  readonly finish: "stop" | "length";
  readonly choices: number;
  readonly showsUsage: boolean;
};

export type FakeWire = {
  /** What comes before the first token. */
  opening(answer: FakeAnswer): string;
  token(answer: FakeAnswer, choice: number, text: string): string;
  closing(answer: FakeAnswer): string;
  errorEvent(message: string): string;
  whole(answer: FakeAnswer, text: string): Readonly<Record<string, unknown>>;
  error(status: number, message: string): Readonly<Record<string, unknown>>;
};

function data(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

function openaiChunk(answer: FakeAnswer, members: Readonly<Record<string, unknown>>): string {
  return data({
    id: "chatcmpl-fake",
    object: "chat.completion.chunk",
    created: 1_700_000_000,
    model: answer.model,
    ...members,
  });
}

function openaiUsage(usage: FakeUsage): Readonly<Record<string, unknown>> {
  return {
    prompt_tokens: usage.prompt,
    completion_tokens: usage.completion,
    total_tokens: usage.prompt + usage.completion,
    prompt_tokens_details: { cached_tokens: usage.cached },
    completion_tokens_details: { reasoning_tokens: usage.reasoning },
  };
}

function everyChoice(answer: FakeAnswer, write: (index: number) => string): string {
  return Array.from({ length: answer.choices }, (_, index) => write(index)).join("");
}

const openai: FakeWire = {
  opening: (answer) =>
    everyChoice(answer, (index) =>
      openaiChunk(answer, {
        choices: [{ index, delta: { role: "assistant", content: "" }, finish_reason: null }],
      }),
    ),
  token: (answer, index, text) =>
    openaiChunk(answer, { choices: [{ index, delta: { content: text }, finish_reason: null }] }),
  closing: (answer) =>
    everyChoice(answer, (index) =>
      openaiChunk(answer, { choices: [{ index, delta: {}, finish_reason: answer.finish }] }),
    ) +
    (answer.showsUsage ? openaiChunk(answer, { choices: [], usage: openaiUsage(answer.usage) }) : "") +
    "data: [DONE]\n\n",
  errorEvent: (message) => data({ error: { message, type: "server_error", code: "server_error" } }),
  whole: (answer, text) => ({
    id: "chatcmpl-fake",
    object: "chat.completion",
    created: 1_700_000_000,
    model: answer.model,
    choices: Array.from({ length: answer.choices }, (_, index) => ({
      index,
      message: { role: "assistant", content: text, refusal: null },
      logprobs: null,
      finish_reason: answer.finish,
    })),
    ...(answer.showsUsage ? { usage: openaiUsage(answer.usage) } : {}),
  }),
  error: (status, message) => ({
    error: {
      message,
      type: status < 500 ? "invalid_request_error" : "server_error",
      param: null,
      code: null,
    },
  }),
};

function anthropicEvent(type: string, members: Readonly<Record<string, unknown>>): string {
  return `event: ${type}\n${data({ type, ...members })}`;
}

function anthropicInput(usage: FakeUsage): Readonly<Record<string, number>> {
  return {
    input_tokens: usage.prompt - usage.cached,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: usage.cached,
  };
}

function anthropicMessage(answer: FakeAnswer): Readonly<Record<string, unknown>> {
  return { id: "msg_fake", type: "message", role: "assistant", model: answer.model };
}

const anthropicStop = { stop: "end_turn", length: "max_tokens" } as const;
const anthropicErrors: ReadonlyMap<number, string> = new Map([
  [400, "invalid_request_error"],
  [401, "authentication_error"],
  [403, "permission_error"],
  [404, "not_found_error"],
  [413, "request_too_large"],
  [429, "rate_limit_error"],
  [529, "overloaded_error"],
]);

const anthropic: FakeWire = {
  opening: (answer) =>
    anthropicEvent("message_start", {
      message: {
        ...anthropicMessage(answer),
        content: [],
        stop_reason: null,
        stop_sequence: null,
        ...(answer.showsUsage ? { usage: { ...anthropicInput(answer.usage), output_tokens: 1 } } : {}),
      },
    }) +
    anthropicEvent("content_block_start", { index: 0, content_block: { type: "text", text: "" } }) +
    anthropicEvent("ping", {}),
  token: (_, __, text) =>
    anthropicEvent("content_block_delta", { index: 0, delta: { type: "text_delta", text } }),
  closing: (answer) =>
    anthropicEvent("content_block_stop", { index: 0 }) +
    anthropicEvent("message_delta", {
      delta: { stop_reason: anthropicStop[answer.finish], stop_sequence: null },
      ...(answer.showsUsage ? { usage: { output_tokens: answer.usage.completion } } : {}),
    }) +
    anthropicEvent("message_stop", {}),
  errorEvent: (message) => anthropicEvent("error", { error: { type: "overloaded_error", message } }),
  whole: (answer, text) => ({
    ...anthropicMessage(answer),
    content: text === "" ? [] : [{ type: "text", text }],
    stop_reason: anthropicStop[answer.finish],
    stop_sequence: null,
    ...(answer.showsUsage
      ? { usage: { ...anthropicInput(answer.usage), output_tokens: answer.usage.completion } }
      : {}),
  }),
  error: (status, message) => ({
    type: "error",
    error: { type: anthropicErrors.get(status) ?? "api_error", message },
    request_id: "req_fake",
  }),
};

export const fakeWires: Readonly<Record<WireName, FakeWire>> = { openai, anthropic };
