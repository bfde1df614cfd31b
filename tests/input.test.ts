import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { assertRefused, bodyWith, chatDoor, messages, usual } from "./support/chat-door.ts";
import type { ChatDoor, DoorAnswer } from "./support/chat-door.ts";
import { endsClean } from "./support/clean-end.ts";
import { ok } from "./support/fake-behaviours.ts";
import { eventually, startFakeUpstream } from "./support/fake-upstream.ts";
import type { FakeUpstream } from "./support/fake-upstream.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";
import { planned } from "./support/plan-scale.ts";

/** What a body may say: cases I-01 to I-03. More of it in input-hostile.test.ts, how it is sent in input-forms.test.ts. */

let upstream: FakeUpstream;
let gateway: Gateway;
let door: ChatDoor;

const mebibyte = 1024 * 1024;

before(async () => {
  upstream = await startFakeUpstream();
  const capBytes = planned({ whole: 8 * mebibyte, quick: mebibyte });
  const environment = { SKILLBOSS_MAX_BODY_BYTES: String(capBytes) };
  gateway = await startGateway({ p1: upstream.baseUrl, environment });
});
beforeEach(async () => {
  door = await chatDoor(gateway, upstream);
});
after(() => endsClean(gateway, upstream));

/** The plan has 100 ms. What a body makes slow is slow each time it is sent; what a busy machine makes slow is not. */
const atOnceMs = planned({ whole: 100, quick: 3_000 });

async function refusedAtOnce(body: string | Buffer, label: string): Promise<DoorAnswer> {
  let answer = await door.send(body);
  for (let again = 0; again < 2 && answer.tookMs >= atOnceMs; again += 1) answer = await door.send(body);
  assertRefused(answer, label);
  assert.ok(answer.tookMs < atOnceMs, `${label} took ${answer.tookMs} ms`);
  return answer;
}

// What is not JSON has no `param` to name.
test("I-01 text that is not a JSON object is refused before anything happens", async () => {
  const whole = `{${usual},"max_tokens":5,"stream":false,"stop":["a","b"],"user":"x"}`;
  const truncated = Array.from({ length: whole.length - 1 }, (_, length) => whole.slice(0, length + 1));
  const malformed = [
    ...truncated,
    "",
    " ",
    "null",
    "true",
    "5",
    '"text"',
    "[]",
    "[{}]",
    "{}{}",
    "{} x",
    "// {}",
    "{]",
    "[}",
    `{${usual},}`,
    `{'model':'m-chat'}`,
    `{model:"m-chat"}`,
    `{${usual},"temperature":NaN}`,
    `{${usual},"temperature":Infinity}`,
    `{${usual},"n":01}`,
    `{${usual},"n":+1}`,
    `{${usual},"n":0x1}`,
    `{${usual},"user":"\t"}`,
    `{${usual},"user":"\\x"}`,
    `{${usual},"user":"\\u12"}`,
    `{${usual} "n":1}`,
    `{${usual},"model":"m-chat"}`,
    `{${usual},"n":1,"n":2}`,
    `\uFEFF${whole}`,
    `${whole}\u0000`,
  ];
  for (const text of malformed) {
    const answer = await refusedAtOnce(text, JSON.stringify(text.slice(0, 40)));
    assert.equal(answer.body.error.code, "invalid_json");
  }
  for (const encoding of ["utf16le", "latin1"] as const) {
    await refusedAtOnce(Buffer.from(whole.replace("hi", "hé"), encoding), encoding);
  }
  await door.assertNothingHappened();
});

const notText = [1, true, {}, []];
const notNumber = ["1", "NaN", true, [], {}];
const notBoolean = ["true", 1, {}, []];
const notList = ["", {}, 5, true];
/** A member and values it must not have. `null` is not among them where OpenAI allows it. */
const mistyped: Readonly<Record<string, readonly unknown[]>> = {
  model: [...notText, "", null],
  messages: [...notList, null, [], [[]], ["hi"], [null], [{}], [5]],
  max_tokens: [...notNumber, -1, 0, 1.5, 2 ** 31, 2 ** 53],
  max_completion_tokens: [...notNumber, -1, 0, 1.5, 2 ** 31, 2 ** 53],
  temperature: [...notNumber, 1e308, -1, 2.1],
  top_p: [...notNumber, -0.1, 1.1, 1e308],
  n: [...notNumber, -1, 0, 1e9, 1.5],
  stop: [5, true, {}, [1], [null], Array.from({ length: 10_000 }, () => "x")],
  stream: notBoolean,
  stream_options: [true, "x", [], { include_usage: "yes" }],
  tools: [
    ...notList,
    [{}],
    [{ type: "function" }],
    [{ type: "magic" }],
    [{ type: "function", function: { name: "a b" } }],
  ],
  tool_choice: ["sometimes", 5, [], { type: "function" }, { type: "function", function: {} }],
  response_format: ["json", 5, [], {}, { type: "yaml" }, { type: "json_schema" }],
  parallel_tool_calls: notBoolean,
  reasoning_effort: notText,
  seed: ["1", 1.5, 2 ** 53, {}, []],
  presence_penalty: [...notNumber, -2.1, 2.1],
  frequency_penalty: [...notNumber, -2.1, 2.1],
  logprobs: notBoolean,
  top_logprobs: [...notNumber, -1, 21],
  logit_bias: ["x", 5, [], { 5: "1" }],
  user: [...notText, "x".repeat(513)],
  metadata: ["x", 5, [], { a: 1 }, { a: {} }],
  thinking: ["x", 5, []],
};

test("I-01 a member of the wrong type is refused and named", async () => {
  for (const [member, values] of Object.entries(mistyped)) {
    for (const value of values) {
      const label = `${member}: ${JSON.stringify(value).slice(0, 40)}`;
      const answer = await refusedAtOnce(bodyWith({ [member]: value }), label);
      assert.equal(answer.body.error.code, "invalid_request");
      assert.ok(answer.body.error.param.startsWith(member), `${member} is named ${answer.body.error.param}`);
    }
  }
  await door.assertNothingHappened();
});

test("I-01 a faulty message is refused and named", async () => {
  const faulty: readonly unknown[] = [
    { role: "king", content: "hi" },
    { content: "hi" },
    { role: "user" },
    { role: "user", content: 5 },
    { role: "user", content: null },
    { role: "user", content: [] },
    { role: "user", content: [{ type: "smell" }] },
    { role: "user", content: [{ type: "text" }] },
    { role: "user", content: [{ type: "image_url", image_url: "http://x" }] },
    { role: "user", content: "hi", name: 5 },
    { role: "tool", content: "hi" },
    { role: "assistant", tool_calls: [{}] },
    { role: "assistant", content: "hi", tool_calls: "x" },
  ];
  for (const message of faulty) {
    const body = bodyWith({ messages: [...messages, message] });
    const answer = await refusedAtOnce(body, JSON.stringify(message));
    assert.ok(answer.body.error.param.startsWith("messages[1]"), answer.text);
  }
  await door.assertNothingHappened();
});

/** Holds the provider's answer until `release`, so that the hold can be looked at. */
function gate(): { readonly release: () => void } {
  let release: () => void = () => undefined;
  const open = new Promise<void>((resolve) => (release = resolve));
  upstream.script("m-chat", async (call) => {
    await open;
    await ok({ tokens: 1 })(call);
  });
  return { release: () => release() };
}

test("I-02 what is forwarded as the limit is what was held for", async () => {
  const cases: readonly (readonly [members: string, limit: number, choices: number])[] = [
    ["", 4096, 1],
    ['"max_tokens":null', 4096, 1],
    ['"max_tokens":1', 1, 1],
    ['"max_tokens":1e2', 100, 1],
    ['"max_tokens":100.0', 100, 1],
    ['"max_tokens":2147483647', 65_536, 1],
    ['"max_completion_tokens":7', 7, 1],
    ['"max_tokens":9,"max_completion_tokens":7', 7, 1],
    ['"max_tokens":50,"n":3', 50, 3],
    ['"max_tokens":50,"n":128', 50, 128],
    ['"max_tokens":50,"n":null,"seed":-9007199254740991,"top_p":1e-300', 50, 1],
  ];
  for (const [members, limit, choices] of cases) {
    upstream.clear();
    const { release } = gate();
    const answering = door.send(`{${usual}${members === "" ? "" : ","}${members}}`);
    await eventually(() => upstream.log.length > 0, 20_000);
    const { body } = await gateway.get(door.customer.key, "/v1/balance");
    release();
    assert.equal((await answering).status, 200, members);
    const sent = upstream.log[0]?.json ?? {};
    assert.equal(sent["max_tokens"], limit, members);
    assert.equal(sent["max_completion_tokens"], undefined, members);
    const heldMicro = Number(body.held) * 1_000_000;
    // Output costs 10 µcr per token; the short prompt is held with less than 2,000.
    const least = 10 * limit * choices;
    assert.ok(heldMicro >= least && heldMicro < least + 2_000, `${members}: ${heldMicro} held for ${least}`);
  }
});

test("I-02 numbers beyond a double are refused, never held for less", async () => {
  for (const member of ["max_tokens", "max_completion_tokens", "n", "seed", "temperature", "top_p"]) {
    for (const value of ["1e309", "-1e309", "99999999999999999999999999"]) {
      assertRefused(await door.send(`{${usual},"${member}":${value}}`), `${member} ${value}`);
    }
  }
  await door.assertNothingHappened();
});

const gap = planned({ whole: 5_000_000, quick: 900_000 });
const longText = planned({ whole: 1_048_576, quick: 900_000 });

test("I-03 a member that occurs twice at the top is refused, however it is written", async () => {
  const twice = [
    [`{${usual},"model":"m-two"}`, "model"],
    [`{${usual},"\\u006dodel":"m-two"}`, "model"],
    [`{${usual},"max_tokens":1,"max_tokens":100000}`, "max_tokens"],
    [`{${usual},"max_tokens":1,"max_tok\\u0065ns":100000}`, "max_tokens"],
    [`{${usual},"x":"${"a".repeat(longText)}","model":"m-two"}`, "model"],
    [`{${usual},${" ".repeat(gap)}"model":"m-two"}`, "model"],
  ] as const;
  for (const [text, param] of twice) {
    const answer = await door.send(text);
    assertRefused(answer, text.slice(0, 60));
    assert.deepEqual([answer.body.error.code, answer.body.error.param], ["invalid_json", param]);
  }
  await door.assertNothingHappened();
});

test("I-03 the provider reads the same model and limits that we read", async () => {
  const stream = `"stream":true,"stream_options":`;
  const bodies = [
    `{"\\u006dodel":"m-chat","messages":${JSON.stringify(messages)},"max_tokens":1e2}`,
    `{${usual},"Model":"m-two","MODEL":"m-two","Max_Tokens":5,"MAX_TOKENS":5,"max_tokens":100.0}`,
    `{${usual},"model ":"m-two"," model":"m-two","max_tokens":100}`,
    `{"x":"${"a".repeat(longText)}",${usual},"max_tokens":100}`,
    `{${" ".repeat(gap)}${usual},"max_tokens":100}`,
    `{${usual},"max_tokens":100,${stream}{"include_usage":false}}`,
    `{${usual},"max_tokens":100,${stream}{"include_usage":true,"include_usage":false}}`,
    `{${usual},"max_tokens":100,${stream}{"include_usage":true,"include_us\\u0061ge":false}}`,
  ];
  for (const text of bodies) {
    upstream.clear();
    const response = await gateway.chat(
      door.customer.key,
      {},
      {
        headers: { authorization: `Bearer ${door.customer.key}`, "content-type": "application/json" },
        body: text,
      },
    );
    assert.equal(response.status, 200, `${text.slice(0, 80)}: ${await response.text()}`);
    assert.equal(response.headers.get("x-skillboss-model"), "p1/m-chat");
    const [call, ...others] = upstream.log;
    assert.ok(call !== undefined && others.length === 0);
    const names = [...call.bytes.toString().matchAll(/"([^"]+)":/g)].map((match) => match[1]?.toLowerCase());
    for (const name of ["model", "max_tokens", "messages"])
      assert.equal(
        names.filter((one) => one?.trim() === name).length,
        1,
        `${name} in ${call.bytes.toString()}`,
      );
    assert.deepEqual([call.json["model"], call.json["max_tokens"]], ["m-chat", 100]);
    if (text.includes('"stream"')) assert.deepEqual(call.json["stream_options"], { include_usage: true });
  }
});
