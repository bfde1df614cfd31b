import type { Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import zlib from "node:zlib";
import type { FakeCall } from "./fake-call.ts";
import type { FakeAnswer } from "./fake-wires.ts";

/** What the fake upstream does with one call. */
export type Behaviour = (call: FakeCall) => void | Promise<void>;

export type Plan = {
  /** One delta each, `tok ` unless said otherwise; cut at the request's limit, unless `overruns`. Default 20. */
  readonly tokens?: number;
  /** Before each token. Default 0. */
  readonly everyMs?: number;
  /** Before the first token of a stream; default `everyMs`. */
  readonly firstMs?: number;
  /** Before the headers. Default 0. */
  readonly afterMs?: number;
  /** Prompt tokens in the usage. Default 100. */
  readonly prompt?: number;
  /** How many of them were cached. Default 0. */
  readonly cached?: number;
  /** Reported output tokens; default what was emitted. */
  readonly completion?: number;
  readonly reasoning?: number;
  /** Of a token; of several one after the other, again and again. */
  readonly text?: string | readonly string[];
  /** `asked`: in streams only when asked for, as OpenAI does. Default `asked`. */
  readonly usage?: "asked" | "always" | "never";
  readonly overruns?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  /** The model's name in the answer. Default the asked one. */
  readonly answersAs?: string;
};

/** Answers as a healthy provider does. */
export function ok(plan: Plan = {}): Behaviour {
  return (call) => answer(call, plan, async () => call.end());
}

export function noUsage(plan: Plan = {}): Behaviour {
  return ok({ ...plan, usage: "never" });
}

/** A proper answer without a single token. */
export function emptyContent(plan: Plan = {}): Behaviour {
  return ok({ ...plan, tokens: 0 });
}

export function status(
  code: number,
  headers: Readonly<Record<string, string>> = {},
  body?: unknown,
): Behaviour {
  return (call) => {
    if (typeof body === "string" || Buffer.isBuffer(body)) {
      call.answerBytes(code, Buffer.from(body), headers);
      return;
    }
    call.answerJson(code, body ?? call.wire.error(code, `fake status ${code}`), headers);
  };
}

/** 200 with exactly these bytes. */
export function body(bytes: string | Buffer, headers: Readonly<Record<string, string>> = {}): Behaviour {
  return (call) =>
    call.answerBytes(200, Buffer.from(bytes), { "content-type": "application/json", ...headers });
}

export function hangBeforeHeaders(): Behaviour {
  return (call) => call.keepSilent();
}

export function headersThenSilence(): Behaviour {
  return (call) => {
    call.startStream();
    return call.keepSilent();
  };
}

export function tokensThenSilence(count: number, plan: Plan = {}): Behaviour {
  return (call) => partOf(call, { ...plan, tokens: count }, () => call.keepSilent());
}

export function resetBeforeFirstByte(): Behaviour {
  return (call) => call.reset();
}

export function resetAfter(count: number, plan: Plan = {}): Behaviour {
  return (call) => partOf(call, { ...plan, tokens: count }, () => call.reset());
}

/** The stream's end comes properly, but no finish reason, usage or terminal event before it. */
export function endWithoutFinish(count: number, plan: Plan = {}): Behaviour {
  return (call) => partOf(call, { ...plan, tokens: count }, () => call.end());
}

/** The connection closes (FIN) before the end of the body. */
export function cutAfter(count: number, plan: Plan = {}): Behaviour {
  return (call) => partOf(call, { ...plan, tokens: count }, async () => call.cut());
}

/** An error inside the stream; in a whole answer an error object with status 200. */
export function errorEventAfter(count: number, message = "fake failure", plan: Plan = {}): Behaviour {
  return async (call) => {
    if (!call.record.stream) {
      call.answerJson(200, call.wire.error(500, message));
      return;
    }
    await partOf(call, { ...plan, tokens: count }, async () => {
      await call.write(call.wire.errorEvent(message));
      await call.end();
    });
  };
}

/** Event stream bytes in writes of their own, cut at the given positions. */
export function sse(bytes: string | Buffer, cutsAt: readonly number[] = [], everyMs = 0): Behaviour {
  return async (call) => {
    const whole = Buffer.from(bytes);
    call.startStream();
    call.socket.setNoDelay(true);
    let from = 0;
    for (const cut of [...cutsAt, whole.length]) {
      await call.write(whole.subarray(from, cut));
      from = cut;
      if (everyMs > 0) await call.pause(everyMs);
      else await nextTurn();
    }
    await call.end();
  };
}

/** Anything on the bare socket, after the request was read. */
export function raw(writer: (socket: Socket, call: FakeCall) => void | Promise<void>): Behaviour {
  return (call) => {
    call.cutByUs = true;
    return writer(call.socket, call);
  };
}

/** One byte at a time, for ever: a comment that never ends. */
export function slowloris(everyMs: number): Behaviour {
  return async (call) => {
    call.startStream();
    while (!call.gone) {
      await call.write(":");
      await call.pause(everyMs);
    }
  };
}

/** Tokens of `tokenBytes` as fast as the client reads them, or at `bytesPerSecond`. */
export function flood(sizeBytes: number, tokenBytes = 1_000, bytesPerSecond = Infinity): Behaviour {
  return async (call) => {
    const plan = { text: "x".repeat(tokenBytes) };
    const shape = shapeOf(call, plan, Math.ceil(sizeBytes / tokenBytes));
    const startedAt = performance.now();
    call.startStream();
    await call.write(call.wire.opening(shape));
    for (let sent = 0; sent < sizeBytes && !call.gone; sent += tokenBytes) {
      await call.writeToken(call.wire.token(shape, 0, plan.text));
      const aheadMs = (sent / bytesPerSecond) * 1_000 - (performance.now() - startedAt);
      if (aheadMs > 5) await call.pause(aheadMs);
    }
    await call.write(call.wire.closing(shape));
    await call.end();
  };
}

/** One behaviour per call, in this order; the last repeats. */
export function sequence(behaviours: readonly [Behaviour, ...Behaviour[]]): Behaviour {
  let next = 0;
  return (call) => {
    const behaviour = behaviours[Math.min(next, behaviours.length - 1)] ?? behaviours[0];
    next += 1;
    return behaviour(call);
  };
}

export type Compression = "gzip" | "br" | "zstd" | "deflate" | "deflate-raw";

export type CompressionOptions = Plan & {
  /** What `content-encoding` says; default the truth. */
  readonly label?: string;
  /** Leaves the stream without its last bytes. */
  readonly truncated?: boolean;
};

const compressors = {
  gzip: () => zlib.createGzip(),
  br: () => zlib.createBrotliCompress(),
  zstd: () => zlib.createZstdCompress(),
  deflate: () => zlib.createDeflate(),
  "deflate-raw": () => zlib.createDeflateRaw(),
} as const;

/** Compresses though nobody asked for it, each token flushed. */
export function compressed(encoding: Compression, options: CompressionOptions = {}): Behaviour {
  return async (call) => {
    const label = options.label ?? (encoding === "deflate-raw" ? "deflate" : encoding);
    const plan = { ...options, headers: { ...options.headers, "content-encoding": label } };
    call.compressWith(compressors[encoding]());
    await answer(call, plan, async () => {
      if (options.truncated === true) call.response.end();
      else await call.end();
    });
  };
}

/** A proper answer, and then `ending`. */
async function answer(call: FakeCall, plan: Plan, ending: () => Promise<void>): Promise<void> {
  if (call.record.stream) {
    const shape = await streamTokens(call, plan);
    await call.write(call.wire.closing(shape));
    await ending();
    return;
  }
  const shape = shapeOf(call, plan, plan.tokens ?? 20);
  await call.pause((plan.afterMs ?? 0) + (plan.everyMs ?? 0) * (plan.tokens ?? 20));
  const count = emittedTokens(call, plan);
  if (!call.gone) call.record.tokens += count * shape.choices;
  const whole = call.wire.whole(shape, textOf(plan, count));
  if (call.compressor === undefined) {
    call.answerJson(200, whole, plan.headers);
    return;
  }
  if (!call.gone) call.response.writeHead(200, { "content-type": "application/json", ...plan.headers });
  await call.write(JSON.stringify(whole));
  await ending();
}

/** Tokens, and then `ending`; of a whole answer its first half. */
async function partOf(call: FakeCall, plan: Plan, ending: () => Promise<void>): Promise<void> {
  if (call.record.stream) {
    await streamTokens(call, plan);
  } else {
    const shape = shapeOf(call, plan, plan.tokens ?? 20);
    await call.pause(plan.afterMs ?? 0);
    if (!call.gone) call.response.writeHead(200, { "content-type": "application/json", ...plan.headers });
    const text = JSON.stringify(call.wire.whole(shape, textOf(plan, plan.tokens ?? 20)));
    await call.write(text.slice(0, text.length / 2));
  }
  await ending();
}

async function streamTokens(call: FakeCall, plan: Plan): Promise<FakeAnswer> {
  const count = emittedTokens(call, plan);
  const shape = shapeOf(call, plan, plan.tokens ?? 20);
  await call.pause(plan.afterMs ?? 0);
  call.startStream(plan.headers);
  await call.write(call.wire.opening(shape));
  for (let token = 0; token < count && !call.gone; token += 1) {
    await call.pause((token === 0 ? plan.firstMs : undefined) ?? plan.everyMs ?? 0);
    for (let choice = 0; choice < shape.choices; choice += 1) {
      await call.writeToken(call.wire.token(shape, choice, tokenOf(plan, token)));
    }
  }
  return shape;
}

function tokenOf({ text = "tok " }: Plan, index: number): string {
  return typeof text === "string" ? text : (text[index % text.length] ?? "");
}

function textOf(plan: Plan, tokens: number): string {
  return Array.from({ length: tokens }, (_, index) => tokenOf(plan, index)).join("");
}

function shapeOf(call: FakeCall, plan: Plan, tokens: number): FakeAnswer {
  const { json, model, stream } = call.record;
  const choices = typeof json["n"] === "number" ? json["n"] : 1;
  const emitted = emittedTokens(call, { ...plan, tokens });
  return {
    model: plan.answersAs ?? model,
    usage: {
      prompt: plan.prompt ?? 100,
      cached: plan.cached ?? 0,
      completion: plan.completion ?? emitted * choices,
      reasoning: plan.reasoning ?? 0,
    },
    finish: emitted < tokens ? "length" : "stop",
    choices,
    showsUsage: plan.usage === "always" || (plan.usage !== "never" && (!stream || asksForUsage(call))),
  };
}

/** Anthropic always tells its usage; OpenAI in streams only when asked. */
function asksForUsage(call: FakeCall): boolean {
  const { wire, json } = call.record;
  if (wire === "anthropic") return true;
  const options = json["stream_options"];
  return (
    typeof options === "object" &&
    options !== null &&
    "include_usage" in options &&
    options.include_usage === true
  );
}

function emittedTokens(call: FakeCall, plan: Plan): number {
  const wanted = plan.tokens ?? 20;
  const limit = call.record.json["max_completion_tokens"] ?? call.record.json["max_tokens"];
  return typeof limit === "number" && plan.overruns !== true ? Math.min(wanted, limit) : wanted;
}
