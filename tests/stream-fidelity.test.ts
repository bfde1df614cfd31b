import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { scanJsonObject } from "../src/core/json-object.ts";
import { endsClean } from "./support/clean-end.ts";
import { body, sse } from "./support/fake-behaviours.ts";
import { startFakeUpstream } from "./support/fake-upstream.ts";
import type { FakeUpstream } from "./support/fake-upstream.ts";
import type { Customer } from "./support/gateway-api.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";
import { hello, stream } from "./support/stream-reader.ts";
import type { StreamSeen } from "./support/stream-reader.ts";

let p1: FakeUpstream;
let gateway: Gateway;
let customer: Customer;
before(async () => {
  p1 = await startFakeUpstream();
  gateway = await startGateway({ p1: p1.baseUrl, a1: p1.origin });
  customer = await gateway.customer({ credits: "100000.00" });
});
after(async () => {
  try {
    await endsClean(gateway);
  } finally {
    await p1.stop();
  }
});

/** Legal and unusual: numbers that lose by parsing, escapes, nulls, unknown members, and names that mean something to JS. */
const oddMembers =
  '"system_fingerprint":null,"service_tier":"default","x_big":12345678901234567890,"x_small":1e-7,' +
  '"x_float":1.0,"x_zero":-0.0,"x_exponent":1E+2,"x_text":"\\u00e9\\/é\\ud83c\\udf0d","x_deep":{"a":[{},[],null,[1e400]]},' +
  '"__proto__":{"polluted":true},"constructor":1,"model_extra":"upstream-name"';
const logprobs =
  '{"content":[{"token":"é","logprob":-1e-7,"bytes":[195,169],"top_logprobs":[{"token":"e","logprob":-9999.0,"bytes":null}]}],"refusal":null}';

function chunk(model: string, choices: string, more = oddMembers): string {
  return `{"id":"chatcmpl-odd","object":"chat.completion.chunk","created":1700000001,"model":"${model}","choices":[${choices}],${more}}`;
}

function delta(index: number, json: string, finish = "null", more = ""): string {
  return `{"index":${index},"delta":${json},"logprobs":null,"finish_reason":${finish}${more}}`;
}

const oddDeltas: readonly string[] = [
  delta(0, '{"role":"assistant","content":"","refusal":null}'),
  delta(0, "{}"),
  delta(0, '{"content":null}'),
  delta(0, '{"content":"caf\\u00e9 \\"1e-7\\" \\/"}'),
  delta(0, '{"content":"é","x_delta":12345678901234567890}'),
  `{"index":0,"delta":{"content":"!"},"logprobs":${logprobs},"finish_reason":null}`,
  delta(0, '{"reasoning_content":"hm ","reasoning":null}'),
  delta(
    0,
    '{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"look_up","arguments":""}}]}',
  ),
  delta(0, '{"tool_calls":[{"index":0,"function":{"arguments":"{\\"big\\":1234567890"}}]}'),
  delta(0, '{"tool_calls":[{"index":0,"function":{"arguments":"1234567890,\\"t\\":\\"\\\\u00e9"}}]}'),
  delta(
    0,
    '{"tool_calls":[{"index":1,"id":"call_2","type":"function","function":{"name":"é","arguments":"{}"}}]}',
  ),
  delta(0, '{"tool_calls":[{"index":0,"function":{"arguments":"\\"}"}}]}'),
  delta(0, '{"refusal":"I can\'t"}'),
  delta(0, '{"refusal":" do that."}'),
  delta(0, "{}", '"tool_calls"', ',"content_filter_results":{"hate":{"filtered":false}}'),
];
const oddUsage =
  '"usage":{"prompt_tokens":10,"completion_tokens":20,"total_tokens":30,"cost":0.5,"x_usage":1}';

/** The JSON texts of the frames that came, in order. */
function frameTexts(seen: StreamSeen): readonly string[] {
  return seen.text
    .split("\n\n")
    .filter((event) => event.startsWith("data: {"))
    .map((event) => event.slice("data: ".length));
}

/** Member → JSON text, to the letter. */
function membersOf(json: string): ReadonlyMap<string, string> {
  const scanned = scanJsonObject(json, { maxDepth: 100, maxNodes: 1_000_000 });
  if (scanned.fault !== undefined) assert.fail(`${scanned.fault}: ${json.slice(0, 200)}`);
  return scanned.members;
}

function shownAs(model: string, json: string, but: readonly string[] = []): Readonly<Record<string, string>> {
  const members = new Map(membersOf(json));
  members.set("model", JSON.stringify(model));
  for (const name of but) members.delete(name);
  return Object.fromEntries(members);
}

const account = ["_balance_warning", "_remaining_credits"];

test("S-09 our last chunk has the id and the time of the others, wherever a provider writes them", async () => {
  const call =
    '{"function":{"arguments":"{}","name":"look_up"},"id":"call_1","created":1,"index":0,"type":"function"}';
  // In alphabetical order, as Google does: the id of the call comes before that of the frame.
  const frame = (delta: string, finish: string): string =>
    `data: {"choices":[{"delta":${delta},"finish_reason":${finish},"index":0}],"created":1700000002,"id":"resp-1",` +
    `"model":"m-chat","object":"chat.completion.chunk"}\n\n`;
  const calls = `{"role":"assistant","tool_calls":[${call}]}`;
  for (const told of [frame(calls, "null") + frame("{}", '"tool_calls"'), frame(calls, '"tool_calls"')]) {
    p1.script("m-chat", sse(`${told}data: [DONE]\n\n`));
    const { frames, dones } = await stream(gateway, customer.key, { model: "m-chat" });
    assert.equal(dones, 1);
    for (const { id, created } of frames) assert.deepEqual([id, created], ["resp-1", 1_700_000_002]);
  }
});

// By our name no frame needs a change; by another each is written anew.
for (const upstreamName of ["m-chat", "upstream-name"]) {
  test(`S-09 unusual frames of a stream by the name ${upstreamName} keep every member to the letter`, async () => {
    const frames = oddDeltas.map((choice) => chunk(upstreamName, choice, `${oddMembers},"usage":null`));
    const usage = chunk(upstreamName, "", oddUsage);
    p1.script("m-chat", sse([...frames, usage, "[DONE]"].map((data) => `data: ${data}\n\n`).join("")));
    const seen = await stream(gateway, customer.key, {
      model: "m-chat",
      stream_options: { include_usage: true },
    });
    const came = frameTexts(seen);
    assert.equal(came.length, frames.length + 1);
    for (const [index, frame] of frames.entries())
      assert.deepEqual(Object.fromEntries(membersOf(came[index] ?? "")), shownAs("m-chat", frame));
    const last = membersOf(came.at(-1) ?? "");
    assert.deepEqual([...last.keys()].toSorted(), [
      ...account,
      "choices",
      "created",
      "id",
      "model",
      "object",
      "usage",
    ]);
    assert.doesNotMatch(last.get("usage") ?? "", /cost/);
    assert.equal(last.get("id"), '"chatcmpl-odd"');
    assert.equal(seen.dones, 1);
  });

  test(`S-09 an unusual whole answer by the name ${upstreamName} keeps every member to the letter`, async () => {
    const message =
      '{"role":"assistant","content":null,"refusal":null,"annotations":[],"audio":null,"reasoning_content":"hm\\u00e9",' +
      '"tool_calls":[{"id":"call_1","type":"function","function":{"name":"look_up","arguments":"{\\"big\\":12345678901234567890,\\"é\\":1e-7}"}}],"x":1E2}';
    const choices = `{"index":0,"message":${message},"logprobs":${logprobs},"finish_reason":"tool_calls","x_choice":1.10}`;
    const answer = chunk(upstreamName, choices, `${oddMembers},${oddUsage}`).replace(".chunk", "");
    p1.script("m-chat", body(answer));
    const response = await gateway.chat(customer.key, { ...hello, model: "m-chat" });
    const came = new Map(membersOf(await response.text()));
    assert.doesNotMatch(came.get("usage") ?? "", /cost/);
    for (const name of [...account, "usage"]) assert.ok(came.delete(name), name);
    assert.deepEqual(Object.fromEntries(came), shownAs("m-chat", answer, ["usage"]));
  });
}

test("S-09 a hundred choices, streamed in turns and whole, arrive each in full and in order", async () => {
  const [choices, turns] = [100, 5];
  const indexes = Array.from({ length: choices }, (_, index) => index);
  const words = Array.from({ length: turns }, (_, turn) => turn);
  const frames = [
    ...words.flatMap((turn) =>
      indexes.map((index) => chunk("up", delta(index, `{"content":"${index}.${turn} "}`))),
    ),
    ...indexes.map((index) => chunk("up", delta(index, "{}", '"stop"'))),
    chunk("up", "", oddUsage),
  ];
  p1.script("m-chat", sse([...frames, "[DONE]"].map((data) => `data: ${data}\n\n`).join("")));
  const seen = await stream(gateway, customer.key, { model: "m-chat", n: choices, max_tokens: 100 });
  assert.deepEqual(
    frameTexts(seen)
      .slice(0, -1)
      .map((frame) => membersOf(frame).get("choices")),
    frames.slice(0, -1).map((frame) => membersOf(frame).get("choices")),
  );
  assert.equal(seen.dones, 1);

  const whole = indexes.map(
    (index) =>
      `{"index":${index},"message":{"role":"assistant","content":"${index}."},"finish_reason":"stop"}`,
  );
  const answer = chunk("up", whole.join(","), oddUsage).replace(".chunk", "");
  p1.script("m-chat", body(answer));
  const response = await gateway.chat(customer.key, {
    ...hello,
    model: "m-chat",
    n: choices,
    max_tokens: 100,
  });
  assert.equal(membersOf(await response.text()).get("choices"), `[${whole.join(",")}]`);
});

test("S-09 m-claude: tool arguments in pieces, big integers in them included, arrive as they were sent", async () => {
  const pieces = ['{"big": 12345678901234567890, ', '"small": 1e-7, "text": "é', "\\u00e9\\n", ' \\"q\\""}'];
  const event = (type: string, members: object) =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...members })}\n\n`;
  const usage = { input_tokens: 10, output_tokens: 5 };
  const tool = { type: "tool_use", id: "toolu_1", name: "look_up", input: {} };
  p1.script(
    "m-claude",
    sse(
      event("message_start", {
        message: { id: "msg_1", type: "message", role: "assistant", content: [], usage },
      }) +
        event("content_block_start", { index: 0, content_block: tool }) +
        pieces
          .map((partial_json) =>
            event("content_block_delta", { index: 0, delta: { type: "input_json_delta", partial_json } }),
          )
          .join("") +
        event("content_block_stop", { index: 0 }) +
        event("message_delta", { delta: { stop_reason: "tool_use" }, usage: { output_tokens: 5 } }) +
        event("message_stop", {}),
    ),
  );
  const tools = [{ type: "function", function: { name: "look_up", parameters: { type: "object" } } }];
  const seen = await stream(gateway, customer.key, { model: "m-claude", tools });
  const calls = seen.frames.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? []);
  assert.equal(calls.map((call) => call.function?.arguments ?? "").join(""), pieces.join(""));
  assert.deepEqual(
    [calls[0].id, calls[0].function.name, seen.finishReason],
    ["toolu_1", "look_up", "tool_calls"],
  );

  const input = '{"big":12345678901234567890,"small":1e-7,"text":"é"}';
  p1.script(
    "m-claude",
    body(
      `{"id":"msg_1","type":"message","role":"assistant","model":"up","content":[{"type":"tool_use","id":"toolu_1","name":"look_up","input":${input}}],` +
        '"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":10,"output_tokens":5}}',
    ),
  );
  const response = await gateway.chat(customer.key, { ...hello, model: "m-claude", tools });
  const answer = JSON.parse(await response.text());
  assert.equal(answer.choices[0].message.tool_calls[0].function.arguments, input);
});

test("our own last chunk has the id and the time of the stream that it ends", async () => {
  const times = (seen: StreamSeen): readonly unknown[] =>
    frameTexts(seen).map((text) => {
      const { id, created } = JSON.parse(text) as { id: string; created: number };
      return `${id} ${created}`;
    });
  for (const model of ["m-chat", "m-claude"]) {
    p1.clear();
    const seen = await stream(gateway, customer.key, { model, stream_options: { include_usage: true } });
    assert.equal(new Set(times(seen)).size, 1, model);
  }
  const odd = oddDeltas.slice(0, 5).map((choice) => chunk("m-chat", choice));
  p1.script("m-chat", sse(odd.map((data) => `data: ${data}\n\n`).join("")));
  const broken = await stream(gateway, customer.key, { model: "m-chat" });
  assert.deepEqual([...new Set(times(broken))], ["chatcmpl-odd 1700000001"]);
});
