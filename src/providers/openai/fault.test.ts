import assert from "node:assert/strict";
import { test } from "node:test";
import type { UpstreamFault, UpstreamHeaders } from "../wire.ts";
import { faultOfError, openaiFault } from "./fault.ts";

function fault(status: number, body: unknown, headers: UpstreamHeaders = {}): UpstreamFault {
  return openaiFault(status, headers, Buffer.from(typeof body === "string" ? body : JSON.stringify(body)));
}

function kinds(cases: readonly (readonly [number, unknown])[]): readonly string[] {
  return cases.map(([status, body]) => fault(status, body).kind);
}

const error = (more: object): object => ({
  error: { message: "no", type: "invalid_request_error", ...more },
});

/** As OpenRouter tells another provider's refusal. */
const passedOn = (told: object): object => ({
  error: { message: "Provider returned error", code: 400, metadata: { raw: JSON.stringify(told) } },
});

test("refusals of the request itself are the customer's, and name a member only when OpenAI's request has it", () => {
  for (const status of [400, 409, 413, 422]) assert.equal(fault(status, error({})).kind, "rejected");
  assert.equal(fault(400, "<html>").kind, "rejected");
  assert.equal(fault(400, error({ param: "messages[0].content" })).param, "messages[0].content");
  assert.equal(fault(400, error({ param: "messages.[1].role" })).param, "messages[1].role");
  assert.equal(fault(400, error({ param: "tools" })).param, "tools");
  for (const param of [
    "deployment",
    "messages<script>",
    "messages[0].content or http://evil",
    5,
    null,
    `user.${"x".repeat(200)}`,
  ]) {
    assert.equal("param" in fault(400, error({ param })), false, String(param));
  }
});

test("a prompt that is longer than the model takes is told apart, in the words of every provider", () => {
  const isTooLong = (more: object, status = 400): unknown => fault(status, error(more)).isTooLong;
  assert.equal(isTooLong({ code: "context_length_exceeded", param: "messages" }), true);
  assert.equal(isTooLong({ type: "exceed_context_size_error", code: 400 }), true);
  for (const message of [
    "This model's maximum context length is 131072 tokens. However, you requested 140000 tokens",
    "'max_tokens' is too large: 2000. This model's maximum context length is 4096 tokens",
    "This endpoint's maximum context length is 163840 tokens. However, you requested about 172900",
    "This model's maximum prompt length is 131072 but the request contains 136973 tokens.",
    "The input token count (1196265) exceeds the maximum number of tokens allowed (1048575).",
    "<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 30720]",
    "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
    "the request exceeds the available context size, try increasing it",
    "Your input exceeds the context window of this model.",
  ]) {
    assert.equal(isTooLong({ message }), true, message);
  }
  const passed = passedOn({
    type: "error",
    error: { message: "prompt is too long: 210000 tokens > 200000" },
  });
  assert.equal(fault(400, passed).isTooLong, true);
  const coded = passedOn({ error: { message: "No.", code: "context_length_exceeded" } });
  assert.equal(fault(400, coded).isTooLong, true);
  assert.match(fault(400, passed).detail, /Provider returned error prompt is too long: 210000 tokens/);
  assert.equal(isTooLong({ message: "messages is too long" }), undefined);
  assert.equal(isTooLong({ code: "context_length_exceeded" }, 500), undefined);
});

test("content that a provider's rules forbid is told apart, in the words of every provider and whatever the status", () => {
  const usagePolicy =
    "Invalid prompt: your prompt was flagged as potentially violating our usage policy. Please";
  const inspected =
    "<400> InternalError.Algo.DataInspectionFailed: Input text data may contain inappropriate content.";
  const google = "The prompt could not be submitted. It violates Google's Responsible AI practices.";
  for (const [status, body] of [
    [
      400,
      error({
        code: "content_filter",
        param: "prompt",
        innererror: { code: "ResponsibleAIPolicyViolation" },
      }),
    ],
    [400, error({ code: "invalid_prompt", message: usagePolicy })],
    [400, error({ code: "content_policy_violation" })],
    [400, error({ code: "data_inspection_failed", type: "data_inspection_failed", message: inspected })],
    [400, error({ message: "Content Exists Risk", code: "invalid_request_error" })],
    [400, error({ message: google, code: 400 })],
    [403, { code: "permission-denied", error: "Content violates usage guidelines. Team: x" }],
    [403, { error: { code: 403, message: "flagged", metadata: { reasons: ["hate"], flagged_input: "x" } } }],
    [400, passedOn({ error: { message: "Filtered.", code: "content_filter" } })],
    [403, passedOn({ type: "error", error: { message: "Output blocked by content filtering policy" } })],
  ] as const) {
    const { kind, isContent } = fault(status, body);
    assert.deepEqual([kind, isContent], ["rejected", true], JSON.stringify(body));
  }
  assert.deepEqual(faultOfError({ code: "data_inspection_failed" }).isContent, true);
  for (const [status, body] of [
    [400, error({ message: "messages[0]: 'Content Exists Risk' is no role" })],
    [403, { code: "permission-denied", error: "Access to the chat endpoint is denied" }],
    [500, error({ code: "content_filter" })],
  ] as const)
    assert.equal(fault(status, body).isContent, undefined, JSON.stringify(body));
});

test("a model or path that is not found there is our catalog's fault", () => {
  const cases: [number, unknown][] = [
    [404, error({ code: "model_not_found" })],
    [404, ""],
    [404, "<html>Not Found</html>"],
    [404, "404 page not found"],
    [404, error({ message: "models/x is not found for API version v1beta" })],
    [400, error({ code: "model_not_found" })],
    [400, error({ param: "model" })],
    [400, error({ message: "Model Not Exist", param: null, code: "invalid_request_error" })],
    [400, { error: { message: "openai/gpt-old:free is not a valid model ID", code: 400 } }],
    [404, { error: { message: "No endpoints found for openai/gpt-old:free.", code: 404 } }],
    [400, error({ code: "model_decommissioned" })],
  ];
  assert.deepEqual(new Set(kinds(cases)), new Set(["broken"]));
  const unable = { error: { message: "No endpoints found that support tool use.", code: 404 } };
  assert.equal(fault(404, unable).kind, "rejected");
  assert.equal(fault(404, error({ message: "No such file", param: "messages" })).kind, "rejected");
});

test("our key, balance or permission there is never the customer's fault", () => {
  const daily = [{ violations: [{ quotaId: "GenerateRequestsPerDayPerProject" }] }];
  const cases: [number, unknown][] = [
    [401, ""],
    [402, error({})],
    [403, "denied"],
    [429, error({ code: "insufficient_quota" })],
    [429, error({ type: "insufficient_quota" })],
    [429, error({ code: "credit_balance_exhausted" })],
    [429, error({ code: "spend_limit_reached" })],
    [429, error({ status: "RESOURCE_EXHAUSTED", details: daily })],
    [400, error({ code: "invalid_api_key" })],
    [
      400,
      [{ error: { code: 400, message: "API key not valid.", details: [{ reason: "API_KEY_INVALID" }] } }],
    ],
  ];
  assert.deepEqual(new Set(kinds(cases)), new Set(["account"]));
});

test("what our account there lacks is never the customer's fault, even when it is told as a bad request", () => {
  const words = "Access denied, please make sure your account is in good standing.";
  const arrearage = { error: { code: "Arrearage", param: null, message: words, type: "Arrearage" } };
  const unverified = "Your organization must be verified to stream this model. Please go to: https://x.test";
  const precondition = (message: string) => [
    { error: { code: 400, message, status: "FAILED_PRECONDITION" } },
  ];
  const cases: [number, unknown][] = [
    [400, arrearage],
    [400, precondition("User location is not supported for the API use without a billing account linked.")],
    [400, precondition("User location is not supported for the API use.")],
    [400, error({ code: "billing_hard_limit_reached", param: null })],
    [400, error({ code: "unsupported_value", param: "stream", message: unverified })],
    [400, passedOn(error({ code: "unsupported_value", param: "stream", message: unverified }))],
    [404, { error: { code: 404, message: "No endpoints available matching your data policy." } }],
  ];
  assert.deepEqual(new Set(kinds(cases)), new Set(["account"]));
  assert.equal(faultOfError(arrearage.error).kind, "account");
  assert.equal(faultOfError({ status: "FAILED_PRECONDITION", message: "no" }).kind, "account");
});

test("a request that those providers find wrong stays the customer's", () => {
  const parameter = {
    code: "invalid_parameter_error",
    message: "<400> InternalError.Algo.InvalidParameter: Range of max_tokens should be [1, 8192]",
  };
  const inspected = {
    code: "data_inspection_failed",
    message: "Input data may contain inappropriate content.",
  };
  const argument = {
    code: 400,
    message: "Unable to submit a request about billing and FAILED_PRECONDITION: it must have a text.",
    status: "INVALID_ARGUMENT",
  };
  const unknown = {
    code: "unknown_parameter",
    message: "Unknown parameter: 'billing_address'.",
    param: null,
  };
  const cases = [error(parameter), error(inspected), [{ error: argument }], error(unknown)].map(
    (body) => [400, body] as const,
  );
  assert.deepEqual(new Set(kinds(cases)), new Set(["rejected"]));
});

test("words of the customer in a refusal do not make it our account's fault", () => {
  for (const message of [
    "Invalid tool 'Your organization must be verified'",
    "Invalid value: 'Model Not Exist'",
    "Invalid tool name 'x is not a valid model ID'",
  ]) {
    assert.equal(fault(400, error({ message })).kind, "rejected", message);
    assert.equal(fault(400, passedOn(error({ message }))).kind, "rejected", message);
  }
  for (const raw of ["", "Bad Request", "[]", '{"error":"Model Not Exist', 5])
    assert.equal(fault(400, error({ metadata: { raw } })).kind, "rejected", String(raw));
  assert.equal(fault(400, error({ message: "Invalid tool name 'API key not valid'" })).kind, "rejected");
  assert.equal(fault(403, error({ code: 403, metadata: { reasons: ["violence"] } })).kind, "rejected");
});

test("too much at once, there or here, is overloaded", () => {
  for (const status of [408, 429, 498, 503, 529]) assert.equal(fault(status, error({})).kind, "overloaded");
  for (const status of [302, 405, 500, 502, 504, 599]) assert.equal(fault(status, error({})).kind, "broken");
});

test("the wait is read from headers, dates and Gemini's details, in whole seconds", () => {
  const wait = (headers: UpstreamHeaders, body: unknown = ""): number | undefined =>
    fault(429, body, headers).retryAfterSeconds;
  assert.equal(wait({ "retry-after-ms": "1500.5", "retry-after": "9" }), 2);
  assert.equal(wait({ "retry-after": "7" }), 7);
  assert.equal(wait({ "retry-after": ["8", "9"] }), 8);
  assert.equal(wait({ "retry-after": "999999999" }), 86_400);
  const date = "Sun, 01 Nov 2026 10:00:00 GMT";
  assert.equal(wait({ "retry-after": "Sun, 01 Nov 2026 10:00:30 GMT", date }), 30);
  assert.equal(wait({ "retry-after": "Sun, 01 Nov 2026 09:00:00 GMT", date }), 0);
  assert.equal(wait({ "retry-after": "Sun, 01 Nov 2026 10:00:30 GMT" }), undefined);
  assert.equal(wait({}, [{ error: { code: 429, details: [{}, { retryDelay: "34.4s" }] } }]), 35);
  for (const bad of ["-1", "soon", "", "1e9", "NaN"])
    assert.equal(wait({ "retry-after": bad, date }), undefined, bad);
});

test("the detail is short, of one line, and holds no key", () => {
  const message = `Incorrect API key provided: sk-proj-abcdef123456****wxyz\r\n\u0000 sent as Bearer topsecret ${"x".repeat(500)}`;
  const { detail } = fault(401, error({ message, code: "invalid_api_key" }));
  assert.equal(detail.length, 200);
  assert.match(
    detail,
    /^401 invalid_api_key Incorrect API key provided: \[redacted\] sent as Bearer \[redacted\] x+$/,
  );
  assert.equal(fault(500, `<html>${"\ud83d\udc7d".repeat(300)}`).detail.isWellFormed(), true);
});

test("errors in the forms of other servers are read", () => {
  assert.match(
    fault(400, { object: "error", message: "too long", type: "BadRequestError", code: 400 }).detail,
    /too long/,
  );
  assert.match(fault(400, { error: "just words" }).detail, /just words/);
  assert.equal(fault(500, "plain words").detail, "500 11 bytes, not JSON");
});
