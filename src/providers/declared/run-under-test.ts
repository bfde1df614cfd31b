import assert from "node:assert/strict";
import type {
  Endpoint,
  EndpointFetch,
  EndpointPolling,
  EndpointQuestion,
  EndpointRequest,
} from "../../core/endpoint.ts";
import type { JsonObject } from "../../core/json-object.ts";
import type { UpstreamHeaders } from "../wire.ts";
import { compileEndpoint } from "./compile-endpoint.ts";
import type { RunAsk, RunContext, RunFault, RunMemory, RunStep, RunWire } from "./run-wire.ts";

type Draft = {
  readonly request: Partial<EndpointRequest> & Pick<EndpointRequest, "path">;
  readonly errors?: Partial<Endpoint["errors"]>;
  readonly polling?: Partial<Omit<EndpointPolling, "poll" | "cancel">> & {
    readonly poll: Partial<EndpointQuestion>;
    readonly cancel?: Partial<EndpointQuestion>;
  };
  readonly fetches?: readonly (Partial<EndpointFetch> & Pick<EndpointFetch, "as">)[];
  readonly output?: Endpoint["output"];
  readonly emptyWhen?: Endpoint["emptyWhen"];
  readonly meters?: readonly (Partial<Endpoint["meters"][number]> & { readonly meter: string })[];
};

/** An endpoint with what the catalog's form fills in where a test says nothing. */
export function endpoint(draft: Draft): Endpoint {
  const { request, errors, polling, fetches = [], meters = [] } = draft;
  return {
    request: { method: "POST", encoding: "json", query: {}, headers: {}, body: null, ...request },
    inline: {},
    repeatable: false,
    errors: { when: undefined, message: undefined, code: undefined, codes: {}, words: {}, ...errors },
    polling: polling === undefined ? undefined : pollingOf(polling),
    fetches: fetches.map((fetch) => ({ ...question(fetch), when: undefined, pages: undefined, ...fetch })),
    output: draft.output ?? { result: "$.res" },
    emptyWhen: draft.emptyWhen,
    meters: meters.map((meter) => ({ reserve: 1, quantity: undefined, ...meter })),
  };
}

function pollingOf(draft: NonNullable<Draft["polling"]>): EndpointPolling {
  const { poll, cancel, ...rest } = draft;
  return {
    skipWhen: undefined,
    status: "$.res.status",
    done: ["done"],
    failed: [],
    message: undefined,
    progress: undefined,
    intervalMs: 1_000,
    backoff: 2,
    maxIntervalMs: 5_000,
    maxMs: 600_000,
    webhook: undefined,
    ...rest,
    poll: question(poll),
    cancel: cancel === undefined ? undefined : question(cancel),
  };
}

function question(draft: Partial<EndpointQuestion>): EndpointQuestion {
  return { method: "GET", url: undefined, path: undefined, query: {}, ...draft };
}

export function wireOf(declared: Endpoint): RunWire {
  const compiled = compileEndpoint(declared);
  if ("wire" in compiled) return compiled.wire;
  assert.fail(JSON.stringify(compiled.faults));
}

/** `path message` of each fault. */
export function faultsIn(declared: Endpoint): readonly string[] {
  const compiled = compileEndpoint(declared);
  return "wire" in compiled ? [] : compiled.faults.map(({ path, message }) => `${path}: ${message}`);
}

export function contextOf(inputs: JsonObject, more: Partial<RunContext> = {}): RunContext {
  return { inputs, env: {}, run: { id: "run_1", webhookUrl: undefined }, ...more };
}

type Done = Extract<RunStep, { state: "done" }>;

/**
 * One run, answer by answer. Its memory goes through the database's JSON between the steps, and whoever takes the run
 * over asks the same question.
 */
export class RunUnderTest {
  readonly wire: RunWire;
  readonly context: RunContext;
  ask: RunAsk;
  memory: RunMemory;

  constructor(declared: Endpoint, context: RunContext) {
    this.wire = wireOf(declared);
    this.context = context;
    const begun = this.wire.begin(context);
    this.ask = begun.ask;
    this.memory = stored(begun.memory);
    assert.deepEqual(this.wire.begin(context), begun, "equal contexts begin with equal bytes");
  }

  hear(body: unknown, status = 200, headers: UpstreamHeaders = {}): RunStep {
    const { bytes, type } = sent(body);
    const answer = { status, headers: { "content-type": type, ...headers }, bytes };
    const step = this.wire.read(this.context, this.memory, answer);
    assert.deepEqual(this.wire.read(this.context, this.memory, answer), step, "reading changes nothing");
    if (step.state === "ask") {
      this.memory = stored(step.memory);
      this.ask = step.ask;
      assert.deepEqual(this.wire.again(this.context, this.memory), step.ask);
    }
    return step;
  }

  /** Hears an answer that leads to a question; how long to wait before it. */
  wait(body: unknown, status = 200, headers: UpstreamHeaders = {}): number {
    const step = this.hear(body, status, headers);
    if (step.state !== "ask") assert.fail(JSON.stringify(step));
    return step.afterMs;
  }

  end(body: unknown, status = 200, headers: UpstreamHeaders = {}): Done {
    const step = this.hear(body, status, headers);
    if (step.state !== "done") assert.fail(JSON.stringify(step));
    assert.deepEqual(stored(step.output), step.output);
    return step;
  }

  fault(body: unknown, status = 200, headers: UpstreamHeaders = {}): RunFault {
    const step = this.hear(body, status, headers);
    if (step.state !== "failed") assert.fail(JSON.stringify(step));
    return step.fault;
  }

  get where(): string {
    const { target } = this.ask;
    return `${this.ask.method} ${"path" in target ? target.path : target.url}`;
  }

  get text(): string {
    return this.ask.body?.toString() ?? "";
  }

  get json(): unknown {
    return JSON.parse(this.text);
  }
}

function sent(body: unknown): { readonly bytes: Buffer; readonly type: string } {
  if (Buffer.isBuffer(body)) return { bytes: body, type: "application/octet-stream" };
  if (typeof body === "string") return { bytes: Buffer.from(body), type: "text/plain" };
  return { bytes: Buffer.from(JSON.stringify(body)), type: "application/json; charset=utf-8" };
}

/** As it comes back from the database. Fails for what JSON would lose. */
export function stored<Value>(value: Value): Value {
  const back: Value = JSON.parse(JSON.stringify(value));
  assert.deepEqual(back, value);
  return back;
}
