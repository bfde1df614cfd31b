import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { endsClean } from "./support/clean-end.ts";
import { sse } from "./support/fake-behaviours.ts";
import type { Behaviour } from "./support/fake-behaviours.ts";
import { eventually, startFakeUpstream } from "./support/fake-upstream.ts";
import type { FakeUpstream } from "./support/fake-upstream.ts";
import { fakeWires } from "./support/fake-wires.ts";
import type { FakeAnswer, FakeWire, WireName } from "./support/fake-wires.ts";
import type { Customer } from "./support/gateway-api.ts";
import { startGatewayProcess } from "./support/gateway-process.ts";
import type { GatewayProcess } from "./support/gateway-process.ts";
import { isWholePlan, planned } from "./support/plan-scale.ts";
import { residentBytes } from "./support/process-usage.ts";
import { receiptOf } from "./support/receipts.ts";
import { stream } from "./support/stream-reader.ts";
import type { StreamSeen } from "./support/stream-reader.ts";

let p1: FakeUpstream;
let gateway: GatewayProcess;
let customer: Customer;
before(async () => {
  p1 = await startFakeUpstream();
  gateway = await startGatewayProcess({ p1: p1.baseUrl, a1: p1.origin });
  customer = await gateway.customer({ credits: "100000.00" });
});
after(async () => {
  try {
    await endsClean(gateway);
  } finally {
    await p1.stop();
  }
});

const wireOf: Readonly<Record<string, WireName>> = { "m-chat": "openai", "m-claude": "anthropic" };

/** A whole stream of the model's wire with these deltas. The upstream knows the model by another name. */
function told(model: string, deltas: readonly string[]): string {
  return begun(model, deltas) + wireFor(model).closing(answerWith(deltas));
}

/** The same without what ends it. */
function begun(model: string, deltas: readonly string[]): string {
  const [wire, answer] = [wireFor(model), answerWith(deltas)];
  return wire.opening(answer) + deltas.map((text) => wire.token(answer, 0, text)).join("");
}

function wireFor(model: string): FakeWire {
  return fakeWires[wireOf[model] ?? "openai"];
}

function answerWith(deltas: readonly string[]): FakeAnswer {
  const usage = { prompt: 10, cached: 0, completion: deltas.length, reasoning: 0 };
  return { model: "upstream-name", usage, finish: "stop", choices: 1, showsUsage: true };
}

function assertComplete(seen: StreamSeen, content: string): void {
  assert.deepEqual([seen.status, seen.error, seen.finishReason, seen.dones], [200, undefined, "stop", 1]);
  assert.equal(seen.content, content);
}

const eyeChart = ["naïve 你好世界 ", '🌍👩‍👩‍👧 \u2028 "', "\\ é"];

/** The same JSON in ASCII: characters beyond the basic plane become two escapes. */
function escaped(text: string): string {
  return text.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

for (const model of ["m-chat", "m-claude"]) {
  for (const [form, write] of [
    ["as UTF-8", (text: string) => text],
    ["as escapes", escaped],
  ] as const) {
    test(`S-05 ${model}: text ${form} is the same wherever its bytes are cut`, async () => {
      const whole = Buffer.from(write(told(model, eyeChart)));
      // The text, and in the whole form all that is around it.
      const first = planned({ whole: 1, quick: whole.indexOf(write("naïve").slice(0, 2)) });
      const end = planned({ whole: whole.length, quick: whole.lastIndexOf(write("é")) + 8 });
      const cuts = Array.from({ length: end - first }, (_, index) => first + index);
      // Each call says in its prompt where it wants its answer cut.
      p1.script(model, (call) => sse(whole, [cutOf(call.record.bytes)], 2)(call));
      const waves = Math.ceil(cuts.length / 40);
      for (let wave = 0; wave < waves; wave += 1) {
        const own = cuts.slice(wave * 40, wave * 40 + 40);
        const all = await Promise.all(
          own.map((cut) => stream(gateway, customer.key, asking(model, `cut ${cut}.`))),
        );
        for (const seen of all) assertComplete(seen, eyeChart.join(""));
      }
    });

    if (form === "as escapes" && !isWholePlan) continue;
    test(`S-05 ${model}: text ${form} that comes a byte at a time is the same`, async () => {
      const whole = Buffer.from(write(told(model, eyeChart)));
      const everywhere = Array.from({ length: whole.length - 1 }, (_, index) => index + 1);
      p1.script(model, sse(whole, everywhere, 1));
      assertComplete(await stream(gateway, customer.key, { model }), eyeChart.join(""));
    });
  }
}

function asking(model: string, content: string): Readonly<Record<string, unknown>> {
  return { model, messages: [{ role: "user", content }] };
}

function cutOf(bytes: Buffer): number {
  return Number(/cut (\d+)\./.exec(bytes.toString())?.[1]);
}

type Variant = (text: string) => string;
const prettyPrinted = (json: string): string =>
  JSON.stringify(JSON.parse(json), null, 1).replaceAll("\n", "\ndata: ");

/** All of them are the same stream as https://html.spec.whatwg.org/multipage/server-sent-events.html reads it. */
const framings: Readonly<Record<string, Variant>> = {
  CRLF: (text) => text.replaceAll("\n", "\r\n"),
  CR: (text) => text.replaceAll("\n", "\r"),
  "mixed line ends": (text) => {
    const ends = ["\n", "\r\n", "\r"];
    let line = 0;
    // A "\r" right before a "\n" of the next line would be one line end, not two.
    return text.replace(/\n\n?/g, (found) => (ends[line++ % 3] ?? "").repeat(found.length));
  },
  "no space after data:": (text) => text.replaceAll(/^data: /gm, "data:"),
  "data of several lines": (text) =>
    text.replace(/^data: (\{.*)$/gm, (_, json: string) => `data: ${prettyPrinted(json)}`),
  "id and retry lines": (text) => text.replaceAll(/^data:/gm, "id: 7\nretry: 100\ndata:"),
  "unknown fields and empty events": (text) => `foo\nbar: 1\n\nid\n\n${text.replaceAll("\n\n", "\n\n\n\n")}`,
  comments: (text) => `: hello\n\n${text.replaceAll("\n\n", "\n: OPENROUTER PROCESSING\n\n:\n\n")}`,
  "a byte order mark": (text) => `\ufeff${text}`,
  "no final blank line": (text) => text.trimEnd(),
  "no final blank line but one line end": (text) => `${text.trimEnd()}\n`,
};
/** What OpenAI's relatives do beside. */
const openaiFramings: Readonly<Record<string, Variant>> = {
  "event lines": (text) => text.replaceAll(/^data:/gm, "event: message\ndata:"),
  "no [DONE]": (text) => text.replace("data: [DONE]\n\n", ""),
  "data after [DONE]": (text) =>
    `${text}data: {"choices":[{"index":0,"delta":{"content":"late"}}]}\n\ndata: [DONE]\n\n`,
  "[DONE] without a space": (text) => text.replace("data: [DONE]", "data:[DONE]"),
};

for (const model of ["m-chat", "m-claude"]) {
  const variants = model === "m-chat" ? { ...framings, ...openaiFramings } : framings;
  for (const [name, variant] of Object.entries(variants)) {
    test(`S-06 ${model}: ${name} changes nothing for the client`, async () => {
      const deltas = ["tok ", "ü: ", "data: x\n\n", "fin"];
      const plain = told(model, deltas);
      p1.script(model, sse(plain));
      const baseline = await stream(gateway, customer.key, { model });
      assertComplete(baseline, deltas.join(""));
      p1.script(model, sse(variant(plain)));
      const seen = await stream(gateway, customer.key, { model });
      assertComplete(seen, deltas.join(""));
      assert.deepEqual(withoutAccount(seen), withoutAccount(baseline));
    });
  }

  test(`S-06 ${model}: line ends that are cut in two are still one`, async () => {
    const text = Buffer.from(told(model, ["tok ", "tok "]).replaceAll("\n", "\r\n"));
    const cuts = Array.from(text.toString("latin1").matchAll(/\r/g), (match) => match.index + 1);
    p1.script(model, sse(text, cuts, 2));
    assertComplete(await stream(gateway, customer.key, { model }), "tok tok ");
  });

  test(`S-06 ${model}: an event of 1 MB passes, and 5 000 events in one packet do`, async () => {
    p1.script(model, sse(told(model, ["x".repeat(1024 * 1024)])));
    assertComplete(await stream(gateway, customer.key, { model }), "x".repeat(1024 * 1024));
    p1.script(
      model,
      sse(
        told(
          model,
          Array.from({ length: 5_000 }, () => "tok "),
        ),
      ),
    );
    assertComplete(await stream(gateway, customer.key, { model }), "tok ".repeat(5_000));
  });

  test(`S-06 ${model}: an event above the cap of 4 MiB is an error event, not growing memory`, async () => {
    p1.script(model, endlessEvent(begun(model, ["tok "]), planned({ whole: 512, quick: 12 }) * 1024 * 1024));
    const before = residentBytes(gateway);
    const seen = await stream(gateway, customer.key, { model });
    assert.deepEqual([seen.status, seen.content, seen.dones], [200, "tok ", 0]);
    assert.equal(seen.error.code, "upstream_invalid_response");
    const call = p1.calls(model).at(-1);
    await eventually(() => call?.closedByClientAt !== undefined);
    const grown = residentBytes(gateway) - before;
    assert.ok(grown < mostGrownBytes, `grew by ${Math.round(grown / 1e6)} MB`);
  });
}

const mostGrownBytes = 64e6;

/** An event of this size behind what was begun, and no end. */
function endlessEvent(beginning: string, sizeBytes: number): Behaviour {
  return async (call) => {
    call.startStream();
    await call.write(`${beginning}data: {"x":"`);
    const piece = "x".repeat(1024 * 1024);
    for (let sent = 0; sent < sizeBytes && !call.gone; sent += piece.length) await call.write(piece);
    await call.keepSilent();
  };
}

/** The frames without ids and times, and without what the account has left. */
function withoutAccount(seen: StreamSeen): readonly unknown[] {
  return seen.frames.map(({ id: _id, created: _created, _remaining_credits: _credits, ...rest }) => rest);
}

/** OpenAI's frames up to the finish, without usage and end mark, and then silence with the connection open. */
function finishThen(text: string): Behaviour {
  return async (call) => {
    call.startStream();
    await call.write(text);
    await call.keepSilent();
  };
}

describe("streams whose connection does not end", { concurrency: 4 }, () => {
  for (const [name, wire] of [
    ["m-chat", (text: string) => text],
    // A provider without usage, and one that does not even send the end mark.
    ["m-free", (text: string) => text.replace(/data: \{[^\n]*"choices":\[\],"usage"[^\n]*\n\n/, "")],
    ["m-two", (text: string) => text.slice(0, text.search(/data: \{[^\n]*"choices":\[\],"usage"/))],
  ] as const) {
    test(`S-06 ${name}: a finished answer ends although the upstream keeps the connection open`, async () => {
      p1.script(name, finishThen(wire(told("m-chat", ["tok ", "tok "]))));
      const seen = await stream(gateway, customer.key, { model: name });
      assertComplete(seen, "tok tok ");
      assert.ok(seen.endedAt - seen.startedAt < 5_000);
    });
  }
});

const usageFrame = /data: \{[^\n]*"choices":\[\],"usage"[^\n]*\n\n/;
const finishFrame = /data: \{[^\n]*"finish_reason":"stop"[^\n]*\n\n/;

test("S-06 nothing is waited for after the end mark, although the upstream keeps the connection open", async () => {
  const whole = told("m-chat", ["tok ", "tok "]);
  p1.script("m-chat", finishThen(whole.replace(usageFrame, "")));
  const finished = await stream(gateway, customer.key, { model: "m-chat" });
  assertComplete(finished, "tok tok ");
  p1.script("m-chat", finishThen(whole.replace(usageFrame, "").replace(finishFrame, "")));
  const unfinished = await stream(gateway, customer.key, { model: "m-chat" });
  assert.deepEqual([unfinished.error.code, unfinished.dones], ["upstream_invalid_response", 0]);
  for (const seen of [finished, unfinished]) {
    const tookMs = seen.endedAt - seen.startedAt;
    // As long as usage is waited for where there is no end mark.
    assert.ok(tookMs < 3_000, `${Math.round(tookMs)} ms`);
  }
});

test("S-06 fewer choices than asked for are the answer when the stream ends properly, not when it breaks off", async () => {
  const oneChoice = told("m-chat", ["tok ", "tok "]).replace("data: [DONE]\n\n", "");
  const endings: readonly Behaviour[] = [(call) => call.end(), (call) => call.reset(), (call) => call.cut()];
  const seen: StreamSeen[] = [];
  for (const ending of endings) {
    p1.script("m-chat", async (call) => {
      call.startStream();
      await call.write(oneChoice);
      await ending(call);
    });
    seen.push(await stream(gateway, customer.key, { model: "m-chat", n: 2 }));
  }
  // And closed before the length that was announced.
  p1.script("m-chat", async (call) => {
    call.startStream({ "content-length": String(Buffer.byteLength(oneChoice) + 100) });
    await call.write(oneChoice);
    call.cut();
  });
  seen.push(await stream(gateway, customer.key, { model: "m-chat", n: 2 }));
  const [whole, ...broken] = seen;
  assert.ok(whole !== undefined);
  assertComplete(whole, "tok tok ");
  const receipt = await receiptOf(gateway, customer.key, whole.headers.get("x-request-id"));
  assert.deepEqual([receipt.ending, receipt.estimated], ["done", false]);
  for (const { error, dones } of broken) assert.deepEqual([error.code, dones], ["upstream_error", 0]);
});

test("S-06 an answer that was finished but for its usage is complete when the connection breaks, and is estimated", async () => {
  const text = told("m-chat", ["tok ", "tok "]);
  p1.script("m-chat", async (call) => {
    call.startStream();
    await call.write(text.slice(0, text.search(/data: \{[^\n]*"choices":\[\],"usage"/)));
    await call.reset();
  });
  const { key } = await gateway.customer();
  const seen = await stream(gateway, key, { model: "m-chat" });
  assertComplete(seen, "tok tok ");
  const receipt = await receiptOf(gateway, key, seen.headers.get("x-request-id"));
  assert.deepEqual([receipt.ending, receipt.estimated], ["done", true]);
  assert.ok(Number(receipt.credits) > 0);
});
