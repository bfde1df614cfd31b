import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChatCall, ChatRequest } from "../../core/chat.ts";
import { scanJsonObject } from "../../core/json-object.ts";
import type { Target, WireRequest } from "../wire.ts";
import { openaiRequest } from "./request.ts";
import { plainTarget } from "./told-answers.test-support.ts";

function callOf(text: string, maxTokens = 50): ChatCall {
  const scanned = scanJsonObject(text, { maxDepth: 64, maxNodes: 10_000 });
  assert.equal(scanned.fault, undefined);
  const request = JSON.parse(text) as ChatRequest;
  return { request, raw: scanned.members, stream: request.stream === true, maxTokens };
}

function sent(
  text: string,
  target: Partial<Target> = {},
): WireRequest & { readonly json: Record<string, unknown> } {
  const request = openaiRequest(callOf(text), { ...plainTarget, ...target });
  return { ...request, json: JSON.parse(request.body) as Record<string, unknown> };
}

test("S-09 the members' texts reach the provider exactly as sent, in their order", () => {
  const messages = '[ {"role":"user","content":"é\\u00e9","x_new":{"n":12345678901234567890,"e":1e-7}} ]';
  const { body, dropped, path } = sent(
    `{"temperature":1.0,"messages":${messages},"model":"asked","seed":12345678901234567890}`,
  );
  assert.equal(
    body,
    `{"temperature":1.0,"messages":${messages},"model":"upstream-model","seed":12345678901234567890,"max_completion_tokens":50}`,
  );
  assert.deepEqual([dropped, path], [[], "/chat/completions"]);
});

test("I-02 the output limit is always sent, once, under the provider's name, with the number that was held for", () => {
  for (const limit of [
    "",
    '"max_tokens":9,',
    '"max_completion_tokens":1e2,',
    '"max_tokens":null,"max_completion_tokens":7,',
  ]) {
    for (const maxTokensField of ["max_tokens", "max_completion_tokens"] as const) {
      const { json } = sent(`{${limit}"model":"m","messages":[]}`, { maxTokensField });
      assert.deepEqual(json, { [maxTokensField]: 50, model: "upstream-model", messages: [] });
    }
  }
});

test("I-03 what is sent names each member once, whatever spelling the customer chose", () => {
  const { body } = sent('{"\\u006dodel":"asked","messages":[],"__proto__":{"model":"x"},"MODEL":"y"}');
  assert.equal(body, '{"model":"upstream-model","messages":[],"max_completion_tokens":50}');
});

test("S-08 usage is asked for in every stream, and other stream options stay", () => {
  for (const options of [
    "",
    ',"stream_options":null',
    ',"stream_options":{"include_usage":false}',
    ',"stream_options":5',
  ]) {
    assert.deepEqual(sent(`{"stream":true,"messages":[]${options}}`).json["stream_options"], {
      include_usage: true,
    });
  }
  const { json, headers } = sent(
    '{"messages":[],"stream":true,"stream_options":{"include_obfuscation":false}}',
  );
  assert.deepEqual(json["stream_options"], { include_obfuscation: false, include_usage: true });
  assert.equal(headers["accept"], "text/event-stream");
  assert.equal(
    "stream_options" in sent('{"messages":[],"stream_options":{"include_usage":true}}').json,
    false,
  );
});

test("a provider that knows no stream options is sent none", () => {
  const { json, dropped } = sent('{"stream":true,"messages":[],"stream_options":{"include_usage":true}}', {
    accepts: new Set(["temperature"]),
  });
  assert.deepEqual([json["stream_options"], json["stream"], dropped], [undefined, true, []]);
});

test("members nobody there understands are left out and named", () => {
  const text =
    '{"model":"m","messages":[],"top_k":5,"thinking":{"type":"enabled"},"seed":1,"foo":[1],"temperature":0.5}';
  assert.deepEqual(sent(text).dropped, ["top_k", "thinking", "foo"]);
  const extra = sent(text, { extraParameters: new Set(["top_k", "thinking"]) });
  assert.deepEqual(
    [extra.dropped, extra.json["top_k"], extra.json["thinking"]],
    [["foo"], 5, { type: "enabled" }],
  );
  const strict = sent(text, { accepts: new Set(["temperature"]), extraParameters: new Set(["top_k"]) });
  assert.deepEqual(strict.dropped, ["thinking", "seed", "foo"]);
  assert.deepEqual(Object.keys(strict.json), [
    "model",
    "messages",
    "top_k",
    "temperature",
    "max_completion_tokens",
  ]);
});

test("models that do not reason are not sent an effort", () => {
  const text = '{"messages":[],"reasoning_effort":"low"}';
  const reasoning = (able: boolean) => ({ capabilities: { ...plainTarget.capabilities, reasoning: able } });
  assert.deepEqual(sent(text, reasoning(false)).dropped, ["reasoning_effort"]);
  assert.equal(sent(text, reasoning(true)).json["reasoning_effort"], "low");
});

test("models without sampling are not sent sampling members", () => {
  const capabilities = { ...plainTarget.capabilities, sampling: false };
  const { dropped, json } = sent('{"messages":[],"temperature":0.5,"top_p":0.5,"top_k":3,"seed":4}', {
    capabilities,
    extraParameters: new Set(["top_k"]),
  });
  assert.deepEqual([dropped, json["seed"]], [["temperature", "top_p", "top_k"], 4]);
});

test("members that a model refuses are left out and named, though its provider takes them", () => {
  const capabilities = { ...plainTarget.capabilities, refuses: ["stop", "verbosity", "top_k"] };
  const text = '{"messages":[],"stop":["\\nObservation:"],"seed":4,"top_k":3,"verbosity":"low"}';
  const { dropped, json } = sent(text, { capabilities, extraParameters: new Set(["top_k"]) });
  assert.deepEqual([dropped, json["seed"]], [["stop", "top_k", "verbosity"], 4]);
  assert.deepEqual(
    ["stop", "verbosity"].filter((name) => name in json),
    [],
  );
  const usual = sent('{"messages":[],"stop":[],"verbosity":"medium"}', { capabilities });
  assert.deepEqual(usual.dropped, []);
  assert.deepEqual(Object.keys(usual.json), ["messages", "model", "max_completion_tokens"]);
});

test("developer messages become system messages only where the provider needs it", () => {
  const quirks = { ...plainTarget.quirks, noDeveloperRole: true };
  const text =
    '{"messages":[{"role":"dev\\u0065loper","content":"be developer","x":1},{"role":"user","content":"hi"}]}';
  assert.deepEqual(sent(text, { quirks }).json["messages"], [
    { role: "system", content: "be developer", x: 1 },
    { role: "user", content: "hi" },
  ]);
  assert.ok(sent(text).body.includes("dev\\u0065loper"));
  const without = '{"messages":[ {"role":"user","content":"developer","n":12345678901234567890} ]}';
  assert.ok(
    sent(without, { quirks }).body.includes(
      ' {"role":"user","content":"developer","n":12345678901234567890} ',
    ),
  );
});

const strict = { quirks: { ...plainTarget.quirks, strictMessages: true } };

test("members of messages that only other providers know are left out and named where they would be refused", () => {
  const mark = { type: "ephemeral" };
  const function_ = { name: "f", arguments: '{"index":1,"cache_control":2}' };
  const plainCall = { id: "c", type: "function", function: function_ };
  const signed = { google: { thought_signature: "c2ln" } };
  const thought = [{ type: "reasoning.text", text: "Hm", signature: "c2ln", index: 0 }];
  const conversation = [
    { role: "system", content: [{ type: "text", text: "Long", cache_control: mark }] },
    { role: "user", content: "q", cache_control: mark },
    { role: "assistant", content: "a", reasoning_content: "t", reasoning_details: thought, reasoning: "t" },
    { role: "assistant", content: null, tool_calls: [{ ...plainCall, index: 0, extra_content: signed }] },
    { role: "tool", tool_call_id: "c", content: "r" },
    { role: "assistant", content: "b", extra_content: signed },
  ];
  const text = JSON.stringify({ messages: conversation, foo: 1 });
  const { json, dropped } = sent(text, strict);
  assert.deepEqual(json["messages"], [
    { role: "system", content: [{ type: "text", text: "Long" }] },
    { role: "user", content: "q" },
    { role: "assistant", content: "a" },
    { role: "assistant", content: null, tool_calls: [plainCall] },
    { role: "tool", tool_call_id: "c", content: "r" },
    { role: "assistant", content: "b" },
  ]);
  assert.deepEqual(
    new Set(dropped),
    new Set([
      "foo",
      "messages[].cache_control",
      "messages[].content[].cache_control",
      "messages[].extra_content",
      "messages[].reasoning",
      "messages[].reasoning_content",
      "messages[].reasoning_details",
      "messages[].tool_calls[].extra_content",
      "messages[].tool_calls[].index",
    ]),
  );
  assert.equal(dropped.length, 9);
  const kept = sent(text);
  assert.deepEqual([kept.json["messages"], kept.dropped], [conversation, ["foo"]]);
});

test("marks of tools that only other providers know are left out and named where they would be refused", () => {
  const mark = { cache_control: { type: "ephemeral" } };
  const parameters = { type: "object", properties: { index: { type: "integer" }, ...mark } };
  const tools = (of: object, inside: object) => [
    { type: "function", function: { name: "f", parameters, ...inside }, ...of },
  ];
  for (const [given, places] of [
    [tools(mark, {}), ["tools[].cache_control"]],
    [tools({}, mark), ["tools[].function.cache_control"]],
  ] as const) {
    const text = JSON.stringify({ messages: [], tools: given });
    const { json, dropped } = sent(text, strict);
    assert.deepEqual(json["tools"], tools({}, {}));
    assert.deepEqual(dropped, places);
    assert.deepEqual(sent(text).json["tools"], given);
  }
  const exact = String.raw`[ {"type":"function","function":{"name":"f","parameters":{"index":1.0,"maximum":12345678901234567890}}} ]`;
  assert.ok(sent(`{"tools":${exact},"messages":[]}`, strict).body.startsWith(`{"tools":${exact},`));
});

test("a member of a message that says nothing is left out unnamed, and one with an escaped name is found", () => {
  const silent = sent('{"messages":[{"role":"assistant","content":"a","reasoning_content":null}]}', strict);
  assert.deepEqual(silent.json["messages"], [{ role: "assistant", content: "a" }]);
  assert.deepEqual(silent.dropped, []);
  const { json, dropped } = sent(
    '{"messages":[{"role":"user","content":"q","c\\u0061che\\u005Fcontrol" :{}},{"role":"user","content":"r","\\u0072\\u0065\\u0061\\u0073\\u006f\\u006e\\u0069\\u006e\\u0067\\u005f\\u0064\\u0065\\u0074\\u0061\\u0069\\u006c\\u0073":[]}]}',
    strict,
  );
  assert.deepEqual(json["messages"], [
    { role: "user", content: "q" },
    { role: "user", content: "r" },
  ]);
  assert.deepEqual(dropped, ["messages[].cache_control", "messages[].reasoning_details"]);
});

test("messages that only speak of such members, or have them elsewhere, are sent to the letter", () => {
  const texts = [
    String.raw`[ {"role":"user","content":"{\"cache_control\": {\"index\":0}, \"reasoning\":1}","n":12345678901234567890} ]`,
    String.raw`[ {"role":"user","content":"cache_control","name":"index","x\u0061":1.0} ]`,
    String.raw`[ {"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"index\":1}","index":1.0}}]} ]`,
    String.raw`[ {"role":"user","content":[{"type":"text","text":"reasoning_details\u003a","x":{"cache_control":1e2}}]} ]`,
  ];
  for (const messages of texts) {
    const { body, dropped } = sent(`{"messages":${messages}}`, strict);
    assert.ok(body.startsWith(`{"messages":${messages},`), body);
    assert.deepEqual(dropped, []);
  }
});

test("T-04 of the customer nothing but what they sent is told", () => {
  assert.deepEqual(sent('{"messages":[],"user":"u-1"}').json["user"], "u-1");
  assert.equal("user" in sent('{"messages":[]}').json, false);
});

test("a member that a provider does not take is named, unless it says no more than its absence", () => {
  const target = { accepts: new Set(["messages", "model"]) };
  const members = '"n":1,"logprobs":false,"seed":null,"frequency_penalty":0,"user":"me","metadata":{}';
  const { json, dropped } = sent(`{"model":"m","messages":[],${members}}`, target);
  assert.deepEqual(dropped, ["user", "metadata"]);
  assert.deepEqual(Object.keys(json), ["model", "messages", "max_completion_tokens"]);
});

test("a model that takes no forced tool is sent a free choice, and the change is told", () => {
  const capabilities = { ...plainTarget.capabilities, forcedTools: false };
  const choices = (mode: string) => ({ type: "allowed_tools", allowed_tools: { mode, tools: [] } });
  const named = { type: "function", function: { name: "look" } };
  const told = (choice: unknown, target: Partial<Target>) => {
    const { json, changed } = sent(`{"messages":[],"tool_choice":${JSON.stringify(choice)}}`, target);
    return [json["tool_choice"], changed];
  };
  for (const [asked, free] of [
    ["required", "auto"],
    [named, "auto"],
    [choices("required"), choices("auto")],
  ] as const) {
    assert.deepEqual(told(asked, { capabilities }), [free, ["tool_choice"]]);
    assert.deepEqual(told(asked, {}), [asked, undefined]);
  }
  for (const asked of ["auto", "none", null, choices("auto")])
    assert.deepEqual(told(asked, { capabilities }), [asked, undefined]);
});

test("a cache is kept for the usual time, which is the one that is charged, and a longer wish is named", () => {
  const part = (mark: object) => ({ type: "text", text: "q", cache_control: { type: "ephemeral", ...mark } });
  const hour = { ttl: "1h" };
  const messages = (mark: object) => [
    { role: "system", content: [part(mark)] },
    { role: "user", content: '"ttl": 1', cache_control: { ...mark } },
  ];
  const tools = (mark: object) => [{ type: "function", function: { name: "f" }, cache_control: mark }];
  const { json, dropped } = sent(JSON.stringify({ messages: messages(hour), tools: tools(hour) }));
  assert.deepEqual(json["messages"], messages({}));
  assert.deepEqual(json["tools"], tools({}));
  assert.deepEqual(dropped, ["cache_control.ttl"]);
  const escaped = sent(
    String.raw`{"messages":[{"role":"user","content":"q","cache_control":{"\u0074t\u006C" :"1h"}}]}`,
  );
  assert.deepEqual(escaped.json["messages"], [{ role: "user", content: "q", cache_control: {} }]);
  const usual = `[ ${JSON.stringify(messages({ ttl: "5m" })[0])},{"role":"user","content":"q","ttl":1.0} ]`;
  const kept = sent(`{"messages":${usual}}`);
  assert.ok(kept.body.startsWith(`{"messages":${usual},`), kept.body);
  assert.deepEqual(kept.dropped, []);
});

test("of a member of which parts are taken nothing else is sent: no tools and caches that cost beside the tokens", () => {
  const target = {
    accepts: new Set(["messages"]),
    extraParameters: new Set(["extra_body.google.thinking_config"]),
  };
  const asked = (extra: unknown) => {
    const { json, dropped } = sent(JSON.stringify({ messages: [], extra_body: extra }), target);
    return [json["extra_body"], dropped];
  };
  const thinking_config = { thinking_budget: 5, include_thoughts: true };
  assert.deepEqual(asked({ google: { thinking_config } }), [{ google: { thinking_config } }, []]);
  const more = {
    tools: [{ google_search: {} }],
    cached_content: "cachedContents/of-another",
    thinking_config,
  };
  assert.deepEqual(asked({ google: more, tools: [{ url_context: {} }] }), [
    { google: { thinking_config } },
    ["extra_body.google.tools", "extra_body.google.cached_content", "extra_body.tools"],
  ]);
  assert.deepEqual(asked({ google: { tools: [] } }), [undefined, ["extra_body.google.tools"]]);
  assert.deepEqual(asked({ google: [thinking_config] }), [undefined, ["extra_body.google"]]);
  assert.deepEqual(asked("google"), [undefined, ["extra_body"]]);
  assert.deepEqual(asked(null), [undefined, []]);
  const twice = String.raw`{"messages":[],"extra_bod\u0079":{"googl\u0065":{"t\u006fols":[{"google_search":{}}]}}}`;
  assert.deepEqual(sent(twice, target).json["extra_body"], undefined);
});

test("where the output limit does not count thinking, both limits together are what was held for", () => {
  const quirks = { ...plainTarget.quirks, thinkingOutsideLimit: true };
  const limitsOf = (text: string, thinking: "budget" | "adaptive", reasoning = true) => {
    const { json, changed } = sent(`{"messages":[]${text}}`, {
      quirks,
      extraParameters: new Set(["enable_thinking", "thinking_budget"]),
      capabilities: { ...plainTarget.capabilities, reasoning, thinking },
    });
    return [json["max_completion_tokens"], json["thinking_budget"], changed];
  };
  const asked = ',"enable_thinking":true';
  assert.deepEqual(limitsOf(asked, "budget"), [25, 25, undefined]);
  assert.deepEqual(limitsOf(`${asked},"thinking_budget":10`, "budget"), [40, 10, undefined]);
  assert.deepEqual(limitsOf(`${asked},"thinking_budget":81920`, "budget"), [25, 25, ["thinking_budget"]]);
  assert.deepEqual(limitsOf("", "adaptive"), [25, 25, undefined]);
  // What does not think has all of it.
  assert.deepEqual(limitsOf("", "budget"), [50, undefined, undefined]);
  assert.deepEqual(limitsOf(',"enable_thinking":false', "adaptive"), [50, undefined, undefined]);
  assert.deepEqual(limitsOf("", "adaptive", false), [50, undefined, undefined]);
});

test("what the results of tools show is shown right behind them, where only users show pictures, and the change is told", () => {
  const picture = { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } };
  const text = { type: "text", text: "Seen:" };
  const call = (id: string): object => ({ id, type: "function", function: { name: "f", arguments: "{}" } });
  const asked = { role: "assistant", tool_calls: [call("a"), call("b"), call("c")] };
  const results = [
    { role: "tool", tool_call_id: "a", content: [text, picture] },
    { role: "tool", tool_call_id: "b", content: [picture] },
    { role: "tool", tool_call_id: "c", content: "2" },
  ];
  const more = { role: "assistant", content: "Well." };
  const { json, changed } = sent(JSON.stringify({ messages: [asked, ...results, more] }));
  const heading = { type: "text", text: "From the results of the tools:" };
  assert.deepEqual(json["messages"], [
    asked,
    { ...results[0], content: [text] },
    { ...results[1], content: "Follows." },
    results[2],
    { role: "user", content: [heading, picture, picture] },
    more,
  ]);
  assert.deepEqual(changed, ["messages[].content"]);
  const last = sent(JSON.stringify({ messages: [asked, ...results] })).json["messages"];
  assert.deepEqual(Array.isArray(last) ? last.at(-1) : last, {
    role: "user",
    content: [heading, picture, picture],
  });
  assert.equal(sent(JSON.stringify({ messages: [asked, results[2]] })).changed, undefined);
});
