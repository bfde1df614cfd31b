import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import net from "node:net";
import { hello, startChat } from "./chat-exchange.ts";
import type { Json } from "./chat-exchange.ts";
import * as fake from "./fake-behaviours.ts";
import type { Behaviour } from "./fake-behaviours.ts";
import { eventually } from "./fake-upstream.ts";
import type { FakeUpstream } from "./fake-upstream.ts";
import type { Gateway } from "./gateway.ts";
import type { TestRate } from "./test-catalog.ts";
import { askWithLimits } from "./limit-answers.ts";
import { perMillion } from "./priced-usage.ts";
import { stream } from "./stream-reader.ts";

/** Where a call is made: the fake provider knows its part by the model. */
export type Scene = {
  readonly gateway: Gateway;
  readonly upstream: FakeUpstream;
  readonly key: string;
  readonly model: string;
};

type OneCall = (scene: Scene) => Promise<void>;

/** A way in which calls end. */
export type CallExit = {
  readonly id: string;
  readonly name: string;
  /** What the provider does, where it is asked. Then the call counts towards the minute, however it ends. */
  readonly behaviour?: Behaviour;
  /** Two calls that are made at once, and end so. */
  readonly calls: readonly [OneCall, OneCall];
  /** The client does not see the end, so that the place is free only soon after. */
  readonly isUnseen?: boolean;
  /** A timer of the gateway decides. */
  readonly isSlow?: boolean;
};

/** A gateway for `callExits` has this largest body. */
export const exitEnvironment = { SKILLBOSS_MAX_BODY_BYTES: "65536" } as const;

const tooLarge = "x".repeat(70_000);
const audio = [
  { role: "user", content: [{ type: "input_audio", input_audio: { data: "", format: "mp3" } }] },
];
const endless = fake.ok({ tokens: 100_000, everyMs: 5 });

export const callExits: readonly CallExit[] = [
  { id: "end", name: "its proper end", behaviour: fake.ok(), calls: [answered(false), answered(true)] },
  {
    id: "leave-midway",
    name: "a client that leaves mid-stream",
    behaviour: endless,
    calls: [leavesMidway("FIN"), leavesMidway("RST")],
    isUnseen: true,
  },
  {
    id: "leave-early",
    name: "a client that leaves before the first byte of a stream",
    behaviour: fake.hangBeforeHeaders(),
    calls: [leavesUnanswered("FIN", true), leavesUnanswered("RST", true)],
    isUnseen: true,
  },
  {
    id: "leave-whole",
    name: "a client that leaves before a whole answer",
    behaviour: fake.hangBeforeHeaders(),
    calls: [leavesUnanswered("FIN", false), leavesUnanswered("RST", false)],
    isUnseen: true,
  },
  {
    id: "leave-sending",
    name: "a client that leaves in the middle of its body",
    calls: [leavesWhileSending("FIN"), leavesWhileSending("RST")],
    isUnseen: true,
  },
  {
    id: "500",
    name: "the provider's 500",
    behaviour: fake.status(500),
    calls: both(502, "upstream_error"),
  },
  {
    id: "400",
    name: "the provider's 400",
    behaviour: fake.status(400),
    calls: both(400, "upstream_rejected_request"),
  },
  {
    id: "429",
    name: "the provider's 429",
    behaviour: fake.status(429),
    calls: both(503, "upstream_unavailable"),
  },
  {
    id: "garbage",
    name: "a provider's answer that is no JSON",
    behaviour: fake.body("<html>"),
    calls: both(502, "upstream_invalid_response"),
  },
  {
    id: "reset-early",
    name: "a provider's reset before the first byte",
    behaviour: fake.resetBeforeFirstByte(),
    calls: both(502, "upstream_error"),
  },
  {
    id: "reset-midway",
    name: "a provider's reset mid-stream",
    behaviour: fake.resetAfter(3),
    calls: [breaksOff("upstream_error"), breaksOff("upstream_error")],
  },
  {
    id: "hang-early",
    name: "a provider that hangs before its first byte",
    behaviour: fake.hangBeforeHeaders(),
    calls: both(504, "upstream_timeout"),
    isSlow: true,
  },
  {
    id: "hang-midway",
    name: "a provider that hangs mid-stream",
    behaviour: fake.tokensThenSilence(3),
    calls: [breaksOff("upstream_timeout"), breaksOff("upstream_timeout")],
    isSlow: true,
  },
  {
    id: "no-json",
    name: "a body that is no JSON",
    calls: [refused(400, "invalid_json", {}, "{"), refused(400, "invalid_json", {}, "")],
  },
  {
    id: "invalid",
    name: "a body that the door refuses",
    calls: both(400, "invalid_request", { messages: [] }),
  },
  {
    id: "untold",
    name: "a body that has no form on the provider's wire",
    calls: both(400, "invalid_request", { model: "m-claude", messages: audio }),
  },
  {
    id: "no-model",
    name: "a model that is not there",
    calls: [unknownModel(false), unknownModel(true)],
  },
  { id: "402", name: "402", calls: both(402, "insufficient_balance", { model: "m-dear" }) },
  {
    id: "413",
    name: "413",
    calls: [refused(413, "request_too_large", {}, tooLarge), refused(413, "request_too_large", {}, tooLarge)],
  },
];

export function exitModel({ id }: CallExit): string {
  return `m-${id}`;
}

/** The models of all exits, and m-dear, which nobody can pay. */
export function exitModels(): Readonly<Record<string, readonly TestRate[]>> {
  const usual = perMillion({ fresh: "0.125", cached: "0.0125", output: "0.5" });
  const dear = perMillion({ fresh: "100000000", cached: "100000000", output: "100000000" });
  return { ...Object.fromEntries(callExits.map((exit) => [exitModel(exit), usual])), "m-dear": dear };
}

function answered(isStream: boolean): OneCall {
  return async ({ gateway, key, model }) => {
    const { status, text } = await askWithLimits(gateway, key, { model, stream: isStream });
    assert.equal(status, 200);
    assert.equal(text.endsWith("data: [DONE]\n\n"), isStream);
  };
}

function both(
  status: number,
  code: string,
  change: Readonly<Record<string, unknown>> = {},
): readonly [OneCall, OneCall] {
  return [refused(status, code, change), refused(status, code, { ...change, stream: true })];
}

function refused(
  status: number,
  code: string,
  change: Readonly<Record<string, unknown>>,
  body?: string,
): OneCall {
  return async ({ gateway, key, model }) => {
    const more = body === undefined ? {} : { body };
    const response = await gateway.chat(key, { model, messages: hello, ...change }, more);
    const { error }: Json = await response.json();
    assert.deepEqual([response.status, error.code], [status, code]);
  };
}

function unknownModel(isStream: boolean): OneCall {
  return refused(404, "model_not_found", { model: "m-nowhere", stream: isStream });
}

/** The beginning arrives, then an event with the error and no end mark. */
function breaksOff(code: string): OneCall {
  return async ({ gateway, key, model }) => {
    const seen = await stream(gateway, key, { model });
    assert.deepEqual([seen.status, seen.content, seen.error?.code], [200, "tok tok tok ", code]);
    assert.equal(seen.dones, 0);
  };
}

function leavesMidway(how: "FIN" | "RST"): OneCall {
  return async ({ gateway, key, model }) => {
    const body = { model, messages: hello, stream: true };
    const exchange = startChat({
      ...{ url: gateway.url, key, body },
      onPart: (seen) => {
        if (seen.deltas > 0) seen.leave(how);
      },
    });
    await exchange.over;
    assert.deepEqual([exchange.status, exchange.isBroken], [200, true]);
  };
}

function leavesUnanswered(how: "FIN" | "RST", isStream: boolean): OneCall {
  return async ({ gateway, upstream, key, model }) => {
    const user = randomUUID();
    const body = { model, messages: hello, stream: isStream, user };
    const exchange = startChat({ url: gateway.url, key, body });
    await eventually(() => upstream.calls(model).some(({ json }) => json["user"] === user));
    exchange.leave(how);
    await exchange.over;
    assert.equal(exchange.status, 0);
  };
}

/** The gateway has let the caller in, and asked for the body. */
function leavesWhileSending(how: "FIN" | "RST"): OneCall {
  return async ({ gateway, key, model }) => {
    const socket = net.connect({ port: gateway.port, host: "127.0.0.1" });
    const closed = once(socket, "close");
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer ${key}\r\n` +
        `content-type: application/json\r\ncontent-length: 1000\r\nexpect: 100-continue\r\n\r\n`,
    );
    const [bytes] = await once(socket, "data");
    assert.match(String(bytes), /^HTTP\/1\.1 100 /);
    await new Promise((resolve) => socket.write(`{"model":"${model}","messages":[`, resolve));
    if (how === "FIN") socket.destroy();
    else socket.resetAndDestroy();
    await closed;
  };
}
