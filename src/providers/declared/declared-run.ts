import { isJsonObject } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";
import type { Usage } from "../../core/usage.ts";
import type { CompiledEndpoint } from "./compiled-endpoint.ts";
import type { CompiledFetch } from "./compile-fetches.ts";
import { finalUsage, isTakenFromContent, reservedUsage } from "./compile-meters.ts";
import { progressIn } from "./compile-polling.ts";
import type { CompiledPolling } from "./compile-polling.ts";
import { holds, textOf } from "./json-values.ts";
import { isNothing, keptParts, merged } from "./kept-parts.ts";
import type { Parts } from "./kept-parts.ts";
import type { Scope } from "./place.ts";
import { readAnswer } from "./read-answer.ts";
import type { ToldAnswer } from "./read-answer.ts";
import { faultOf, isOk, refusalIn, unreadableFault, waitToldIn } from "./refusal.ts";
import type { RunAnswer, RunAsk, RunContext, RunFault, RunMemory, RunStep, RunWire } from "./run-wire.ts";
import { scopeAfterWork, scopeOfRun, withAnswer } from "./scopes.ts";
import { isHollow, writtenOutput } from "./write-output.ts";

/** So often a result is fetched in vain before its fault is told: with these waits, about eight minutes. */
const mostTries = 20;
const firstTryMs = 1_000;
const longestTryMs = 30_000;

/** The state machine of one endpoint: submit → poll until done → fetch → result. */
export class DeclaredRun implements RunWire {
  readonly #endpoint: CompiledEndpoint;

  constructor(endpoint: CompiledEndpoint) {
    this.#endpoint = endpoint;
  }

  get isMeteredByContent(): boolean {
    return this.#endpoint.meters.some(isTakenFromContent);
  }

  reserve(context: RunContext): Usage {
    return reservedUsage(this.#endpoint.meters, scopeOfRun(context));
  }

  begin(context: RunContext): { readonly ask: RunAsk; readonly memory: RunMemory } {
    const ask = this.#endpoint.submission(scopeOfRun(context), context.run.webhookUrl);
    return { ask, memory: { phase: "submit" } };
  }

  read(context: RunContext, memory: RunMemory, answer: RunAnswer): RunStep {
    const told = readAnswer(answer);
    const { polling, fetches } = this.#endpoint;
    if (memory.phase === "submit") return this.#readSubmission(context, told);
    if (memory.phase === "poll" && polling !== undefined) {
      return this.#readPoll({ context, memory, told }, polling);
    }
    const fetch = fetches[memory.fetch ?? 0];
    if (fetch !== undefined) return this.#readFetched({ context, memory, told }, fetch);
    return failed(unreadableFault(told.status, "an answer to no question of this endpoint"));
  }

  again(context: RunContext, memory: RunMemory): RunAsk | undefined {
    if (memory.phase === "submit") return undefined;
    if (memory.phase === "poll") return this.#endpoint.polling?.poll.ask(whilePolling(context, memory));
    const fetch = this.#endpoint.fetches[memory.fetch ?? 0];
    return fetch?.ask(scopeAfterWork(context, memory), memory.next);
  }

  cancel(context: RunContext, memory: RunMemory): RunAsk | undefined {
    if (memory.phase !== "poll") return undefined;
    return this.#endpoint.polling?.cancel?.ask(whilePolling(context, memory));
  }

  /** The faults of a submission are verdicts. */
  #readSubmission(context: RunContext, told: ToldAnswer): RunStep {
    const { errors, polling, keeps } = this.#endpoint;
    const scope = { ...withAnswer(scopeOfRun(context), told), submit: told.res };
    const refusal = refusalIn(errors, { told, scope });
    if (refusal !== undefined) return failed(refusal);
    if (polling === undefined) return this.#end(context, told, undefined);
    if (!holds(polling.skipWhen(scope))) {
      const memory: RunMemory = { phase: "poll", ...kept("submit", told.res, keeps.submit), polls: 0 };
      return this.#askPoll({ context, memory, told }, polling, undefined);
    }
    const status = textOf(polling.status({ ...scope, poll: told.res }));
    if (status === undefined || !polling.failed.has(status)) return this.#end(context, told, undefined);
    const said = polling.message({ ...scope, poll: told.res });
    return failed(faultOf(errors, { told, scope }, { kind: "failed", said }));
  }

  /** Only a status of the list is a verdict. What else it may answer (404, 500, nonsense) means to ask again. */
  #readPoll(heard: Heard, polling: CompiledPolling): RunStep {
    const { context, memory, told } = heard;
    const { errors } = this.#endpoint;
    const scope = { ...withAnswer(whilePolling(context, memory), told), poll: told.res };
    const status = isOk(told) ? textOf(polling.status(scope)) : undefined;
    if (status !== undefined && polling.failed.has(status)) {
      const fault = faultOf(errors, { told, scope }, { kind: "failed", said: polling.message(scope) });
      return failed(asVerdict(fault));
    }
    if (status !== undefined && polling.done.has(status)) {
      const refusal = refusalIn(errors, { told, scope });
      return refusal === undefined ? this.#end(context, told, memory) : failed(refusal);
    }
    const next: RunMemory = { ...memory, polls: (memory.polls ?? 0) + 1 };
    const progress = isOk(told) ? progressIn(polling, scope) : undefined;
    return this.#askPoll({ context, memory: next, told }, polling, progress);
  }

  #askPoll(
    { context, memory, told }: Heard,
    polling: CompiledPolling,
    progress: number | undefined,
  ): RunStep {
    const ask = polling.poll.ask(whilePolling(context, memory));
    if (ask === undefined) return failed(unreadableFault(told.status, "no word of where to ask again"));
    const afterMs = Math.max(polling.waitMs(memory.polls ?? 0), waitToldMs(told));
    return { state: "ask", ask, afterMs, memory, progress };
  }

  /** The work is done, says the answer to the submission (`before` is undefined) or to a poll. */
  #end(context: RunContext, told: ToldAnswer, before: RunMemory | undefined): RunStep {
    const { keeps } = this.#endpoint;
    const answers =
      before === undefined
        ? kept("submit", told.res, merged(keeps.submit, keeps.end))
        : {
            ...("submit" in before ? { submit: before.submit } : {}),
            poll: keptParts(told.res, keeps.end) ?? null,
          };
    const memory: RunMemory = {
      phase: "fetch",
      ...answers,
      ...(isNothing(keeps.headers) ? {} : { headers: keptHeaders(told, keeps.headers) }),
      ...(keeps.status ? { status: told.status } : {}),
    };
    return this.#goOn({ context, memory, told }, 0);
  }

  /** Asks for the next fetch that is wanted, or makes the result. */
  #goOn({ context, memory, told }: Heard, from: number): RunStep {
    const scope = scopeAfterWork(context, memory);
    const { fetches } = this.#endpoint;
    const index = fetches.findIndex((fetch, place) => place >= from && fetch.isWanted(scope));
    const fetch = fetches[index];
    if (fetch === undefined) return this.#finish({ context, memory, told });
    return askFetch({ context, memory: { ...memory, fetch: index }, told }, fetch, 0);
  }

  #readFetched({ context, memory, told }: Heard, fetch: CompiledFetch): RunStep {
    const scope = withAnswer(scopeAfterWork(context, memory), told);
    const refusal = refusalIn(this.#endpoint.errors, { told, scope });
    if (refusal === undefined) return this.#keepFetched({ context, memory, told }, fetch);
    const { tries = 0 } = memory;
    if (!mayPass(refusal)) return failed(refusal);
    if (tries >= mostTries) return failed(asksForPatience(refusal) ? refusal : asVerdict(refusal));
    const afterMs = Math.min(firstTryMs * 2 ** tries, longestTryMs);
    const again = { context, memory: { ...memory, tries: tries + 1 }, told };
    return askFetch(again, fetch, Math.max(afterMs, waitToldMs(told)));
  }

  #keepFetched({ context, memory, told }: Heard, fetch: CompiledFetch): RunStep {
    const { next, pages, tries: _, ...rest } = memory;
    const scope = withAnswer(scopeAfterWork(context, memory), told);
    const value =
      fetch.pages === undefined ? told.res : withPage(memory.fetched?.[fetch.as], fetch.pages.items(scope));
    const parts = this.#endpoint.keeps.fetched.get(fetch.as) ?? "all";
    const heard: Heard = {
      context,
      memory: { ...rest, fetched: { ...memory.fetched, ...kept(fetch.as, value, parts) } },
      told,
    };
    const read = (pages ?? 0) + 1;
    const following = read < (fetch.pages?.maxPages ?? 1) ? fetch.pages?.next(scope) : undefined;
    if (following === undefined || following === next) return this.#goOn(heard, (memory.fetch ?? 0) + 1);
    return askFetch({ ...heard, memory: { ...heard.memory, next: following, pages: read } }, fetch, 0);
  }

  #finish({ context, memory, told }: Heard): RunStep {
    const { emptyWhen, output, meters } = this.#endpoint;
    const before = scopeOfRun(context);
    const after = scopeAfterWork(context, memory);
    const isEmpty = holds(emptyWhen(after));
    const written = writtenOutput(output(after));
    const isResult = isJsonObject(written) && !isHollow(written);
    if (!isResult && !isEmpty) {
      return failed(unreadableFault(told.status, "nothing of what was promised is in the answer"));
    }
    const { usage, estimated } = finalUsage(meters, { before, after });
    return { state: "done", output: isJsonObject(written) ? written : {}, usage, estimated, isEmpty };
  }
}

type Heard = { readonly context: RunContext; readonly memory: RunMemory; readonly told: ToldAnswer };

function failed(fault: RunFault): RunStep {
  return { state: "failed", fault };
}

function whilePolling(context: RunContext, memory: RunMemory): Scope {
  return { ...scopeOfRun(context), submit: memory.submit };
}

/** The member with what is kept of the value; no member where nobody reads any of it. */
function kept<Name extends string>(
  name: Name,
  value: unknown,
  parts: Parts,
): { readonly [member in Name]?: unknown } {
  const member: { [member in Name]?: unknown } = {};
  if (!isNothing(parts)) member[name] = keptParts(value, parts) ?? null;
  return member;
}

function withPage(before: unknown, items: unknown): readonly unknown[] {
  return [before, items].flatMap((list) => (Array.isArray(list) ? list : []));
}

function keptHeaders({ headers }: ToldAnswer, parts: Parts): JsonObject {
  const some = keptParts(headers, parts);
  return isJsonObject(some) ? some : {};
}

function askFetch({ context, memory, told }: Heard, fetch: CompiledFetch, afterMs: number): RunStep {
  const ask = fetch.ask(scopeAfterWork(context, memory), memory.next);
  if (ask === undefined) return failed(unreadableFault(told.status, "no word of where the result is"));
  return { state: "ask", ask, afterMs, memory, progress: undefined };
}

/** The work has failed for good: no code of it means that it is worth waiting. */
function asVerdict(fault: RunFault): RunFault {
  const isVerdict = ["rejected", "content", "credential"].includes(fault.kind);
  return isVerdict ? fault : { ...fault, kind: "failed" };
}

/** Whether it may be otherwise next time. A result that is not found may only be late. */
function mayPass({ kind, status }: RunFault): boolean {
  if (kind === "rejected") return status === 404;
  return kind !== "content" && kind !== "failed";
}

/** Whoever says so still has the result, and is asked on as in any outage. */
function asksForPatience({ kind, status }: RunFault): boolean {
  return kind === "busy" || status === 503;
}

function waitToldMs(told: ToldAnswer): number {
  return (waitToldIn(told) ?? 0) * 1_000;
}
