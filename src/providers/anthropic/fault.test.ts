import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "../../core/json-object.ts";
import type { UpstreamFault, UpstreamHeaders } from "../wire.ts";
import { anthropicChat } from "./chat.ts";
import { faultOfError } from "./fault.ts";

function fault(status: number, error: JsonObject | string, headers: UpstreamHeaders = {}): UpstreamFault {
  const body =
    typeof error === "string" ? error : JSON.stringify({ type: "error", error, request_id: "req_1" });
  return anthropicChat.fault(status, headers, Buffer.from(body));
}

test("every documented status and type is told apart by what to do about it", () => {
  const expected: readonly (readonly [number, string, UpstreamFault["kind"]])[] = [
    [400, "invalid_request_error", "rejected"],
    [401, "authentication_error", "account"],
    [402, "billing_error", "account"],
    [403, "permission_error", "account"],
    [404, "not_found_error", "broken"],
    [408, "timeout_error", "broken"],
    [409, "conflict_error", "broken"],
    [413, "request_too_large", "rejected"],
    [422, "invalid_request_error", "rejected"],
    [429, "rate_limit_error", "overloaded"],
    [500, "api_error", "broken"],
    [502, "api_error", "broken"],
    [503, "api_error", "overloaded"],
    [504, "timeout_error", "broken"],
    [529, "overloaded_error", "overloaded"],
    [500, "overloaded_error", "overloaded"],
  ];
  for (const [status, type, kind] of expected) {
    assert.equal(fault(status, { type, message: "m" }).kind, kind, `${status} ${type}`);
  }
});

test("a 429 for money is our account's trouble and no overload", () => {
  const of = (code: string): string =>
    fault(
      429,
      { type: "rate_limit_error", message: "m", details: { error_code: code } },
      { "retry-after": "1" },
    ).kind;
  assert.equal(of("enforced_spend_limit_reached"), "account");
  assert.equal(of("contract_spend_limit_reached"), "account");
  assert.equal(of("ramp_limit_exceeded"), "overloaded");
});

test("what our account there lacks is never the customer's fault, even when it is told as a bad request", () => {
  const kind = (message: string): string => fault(400, { type: "invalid_request_error", message }).kind;
  for (const message of [
    "Your credit balance is too low to access the Anthropic API.",
    "This organization has been disabled.",
    "You have reached your specified API usage limits. You will regain access on 2026-04-01 at 00:00 UTC.",
  ]) {
    assert.equal(kind(message), "account", message);
  }
  assert.equal(kind("tools.0.name: This organization has been disabled."), "rejected");
});

test("an overload tells how long to wait, in whole seconds", () => {
  const wait = (value: UpstreamHeaders[string]): unknown =>
    fault(529, { type: "overloaded_error", message: "m" }, { "retry-after": value }).retryAfterSeconds;
  assert.deepEqual([wait("12"), wait("0.2"), wait(["3", "9"])], [12, 1, 3]);
  assert.deepEqual([wait(undefined), wait("soon"), wait("-1")], [undefined, undefined, undefined]);
  assert.equal(fault(400, { type: "x" }, { "retry-after": "5" }).retryAfterSeconds, undefined);
});

test("the member at fault is told in OpenAI's words, and only when it has one there", () => {
  const param = (message: string): unknown => fault(400, { type: "invalid_request_error", message }).param;
  assert.equal(param("messages.0.content.1.image.source: bad"), "messages");
  assert.equal(param("stop_sequences: each must be non-empty"), "stop");
  assert.equal(param("max_tokens: 99 > 10"), "max_tokens");
  assert.equal(param("anthropic_beta: unknown"), undefined);
  assert.equal(fault(500, { type: "api_error", message: "messages: x" }).param, undefined);
});

test("a prompt that is longer than the model takes is told apart from other refusals", () => {
  const isTooLong = (message: string, status = 400): unknown =>
    fault(status, { type: "invalid_request_error", message }).isTooLong;
  assert.equal(isTooLong("prompt is too long: 219898 tokens > 200000 maximum"), true);
  const together = "input length and `max_tokens` exceed context limit: 184915 + 20000 > 204648, decrease…";
  assert.equal(isTooLong(together), true);
  assert.equal(isTooLong("messages.0.content: the words 'prompt is too long' are not allowed"), undefined);
  assert.equal(isTooLong("max_tokens: 99 > 10"), undefined);
  assert.equal(isTooLong("prompt is too long: 2 tokens > 1 maximum", 500), undefined);
});

test("content that its policy forbids is told apart, as an answer and within a stream", () => {
  const error = { type: "invalid_request_error", message: "Output blocked by content filtering policy" };
  for (const told of [fault(400, error), faultOfError(error)])
    assert.deepEqual([told.kind, told.isContent], ["rejected", true]);
  assert.equal(fault(400, { ...error, message: "messages: output blocked" }).isContent, undefined);
});

test("details hold no keys and no control characters, and are short", () => {
  const message =
    "bad\u0000 key sk-ant-api03-abcdefghij and Bearer abc123\nfor org 0123456789abcdef0123456789abcdef";
  const { detail } = fault(401, { type: "authentication_error", message });
  assert.equal(
    detail,
    "401 authentication_error bad key [redacted] and Bearer [redacted] for org [redacted]",
  );
  assert.ok(fault(500, { type: "api_error", message: "🌍".repeat(300) }).detail.length <= 200);
  const html = fault(502, "<html>\n<b>Bad gateway</b></html>");
  assert.deepEqual([html.kind, html.detail], ["broken", "502 32 bytes, not JSON"]);
  assert.equal(fault(400, "").detail, "400 an empty body");
});
