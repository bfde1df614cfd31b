import { isJsonObject } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";
import { costOf } from "../../core/price.ts";
import { Problem } from "../../core/problems.ts";
import { storableJson } from "../../core/storable-text.ts";
import type { Usage } from "../../core/usage.ts";
import type { EngineResult } from "../../engines/engine.ts";
import { anyBytes, contentTypeOf } from "../../files/content-type.ts";
import type { RunAnswer, RunFault, RunStep } from "../../providers/declared/run-wire.ts";
import { GatheringFailed } from "../../providers/gather.ts";
import { offerKey } from "../../routing/rank.ts";
import { firstThatAnswers } from "../../routing/first-that-answers.ts";
import type { Attempt, Route } from "../../routing/first-that-answers.ts";
import { askProvider, CredentialNotReady } from "./ask-provider.ts";
import type { ProviderLine } from "./ask-provider.ts";
import { contextOf, frozenPrice, holdOf, inputsOf } from "./driven-run.ts";
import type { DrivenRun, ServedOffer } from "./driven-run.ts";
import { inlineReaderOf, withInlinedFiles } from "./inline-files.ts";
import { isItself } from "./live-sound.ts";
import type { SoundBegun } from "./live-sound.ts";
import { judgeAddresses } from "./played-engine.ts";
import { fileReaderOf } from "./read-files.ts";
import type { RunHouse } from "./run-house.ts";
import { brokenSubmission, refusedSubmission } from "./run-problems.ts";
import { whenThere } from "./when-there.ts";

/** The first answer, as far as it is not a refusal. */
export type Submitted = Exclude<RunStep, { state: "failed" }>;

/** Asks the offers in order until one takes the work. */
export function submitRun(run: DrivenRun, house: RunHouse): Promise<Route<Submitted, ServedOffer>> {
  const [first, ...rest] = run.offers;
  if (first === undefined) throw new Problem("internal_error", { cause: "a run without an offer" });
  return firstThatAnswers<Submitted, ServedOffer>([first, ...rest], house.health[run.row.mode], (offer) =>
    "engine" in offer.line
      ? byEngine(run, house, offer)
      : byProvider(run, house, { offer, line: offer.line }).then((attempt) => final(run, attempt)),
  );
}

/** Once the customer hears a sound, nothing else can be the answer. */
function final({ live }: DrivenRun, attempt: Attempt<Submitted>): Attempt<Submitted> {
  const isHeard = live?.isHeard === true && attempt.state === "failed";
  return isHeard ? { ...attempt, tryNext: false, tryAgain: false } : attempt;
}

type Served = { readonly offer: ServedOffer; readonly line: ProviderLine };

async function byProvider(
  run: DrivenRun,
  house: RunHouse,
  { offer, line }: Served,
): Promise<Attempt<Submitted>> {
  const { mayFallBack, model } = run;
  const leeway = { isRepeatable: line.isRepeatable, mayFallBack, actsOnWorld: model.hasSideEffects };
  const named = contextOf(run, line, house);
  try {
    if (line.plays !== undefined) await judgeAddresses(run, house, line.plays);
    const inputs = await withInlinedFiles(named.inputs, line.inlines, inlineReaderOf(run.row, house));
    const context = { ...named, inputs };
    const { ask, memory } = line.wire.begin(context);
    const listener = run.live?.listener((answer) => {
      const step = line.wire.read(context, memory, answer);
      return isItself(step, answer) ? soundOf(run, { offer, line, usage: step.usage }, answer) : undefined;
    });
    const ordered = { ...ask, headers: { ...ask.headers, ...run.orders } };
    const ownConnection = !line.isRepeatable;
    const asking = { ...house, signal: run.stopped, listener, ownConnection };
    const answer = await askProvider(line, ordered, asking);
    const step = line.wire.read(context, memory, answer);
    if (step.state === "failed") return refusedSubmission(step.fault, leeway);
    return { state: "answered", answer: step };
  } catch (error) {
    if (error instanceof GatheringFailed) return brokenSubmission(error.failure, leeway);
    if (error instanceof CredentialNotReady) return refusedSubmission(withoutCredential(error), leeway);
    return ended(error);
  }
}

type Metered = Served & { readonly usage: Usage };

/** What the bytes are decides, as for a stored file. Undefined when they are no sound, whatever the provider calls them. */
function soundOf(
  run: DrivenRun,
  { offer, line, usage }: Metered,
  { bytes }: RunAnswer,
): SoundBegun | undefined {
  const contentType = contentTypeOf({ head: bytes, isWhole: false });
  const isSound = /^(?:audio|video)\//.test(contentType) || contentType === anyBytes;
  const cost = line.wire.isMeteredByContent
    ? undefined
    : costOf(frozenPrice(run, offer), usage, run.row.credit_usd);
  return isSound ? { offer: offerKey(offer), contentType, cost } : undefined;
}

/** As if the provider had refused the credential itself. */
function withoutCredential({ cause }: CredentialNotReady): RunFault {
  const detail = cause instanceof Error ? cause.message : "";
  return { kind: "credential", status: 0, detail, code: undefined, retryAfterSeconds: undefined };
}

async function byEngine(run: DrivenRun, house: RunHouse, offer: ServedOffer): Promise<Attempt<Submitted>> {
  const { line } = offer;
  if (!("engine" in line)) return ended(new Error("not an engine"));
  try {
    await noteBegun(run, house, offer);
    const result = await line.engine.run({
      inputs: inputsOf(run),
      signal: run.stopped,
      fetchFile: fileReaderOf(run.row, house),
    });
    return { state: "answered", answer: stepOf(result) };
  } catch (error) {
    return ended(error instanceof Problem ? inTheBody(error) : error);
  }
}

/** From here on it can be called off, unless it acts on the world. */
async function noteBegun(run: DrivenRun, house: RunHouse, offer: ServedOffer): Promise<void> {
  const state = run.model.hasSideEffects ? "submitting" : "waiting";
  const change = { state, offer: offerKey(offer) } as const;
  const isOurs = await whenThere(run, house, () =>
    house.store.change(holdOf(run), change, { kind: "accepted", data: {} }),
  );
  if (!isOurs) throw new Error("somebody else has this run");
}

/** An engine knows its inputs only: `url`, where the customer wrote `inputs.url`. */
function inTheBody(problem: Problem): Problem {
  const { code, message, param, retryAfterSeconds, extra } = problem;
  if (param === null || param.startsWith("inputs.")) return problem;
  const wait = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
  return new Problem(code, { message, param: `inputs.${param}`, extra, cause: problem.cause, ...wait });
}

/**
 * An engine's files lie in memory: they are stored like those that a provider sends. What it read on its way may hold
 * characters that no database keeps.
 */
function stepOf({ output, files, usage, isEmpty }: EngineResult): Submitted {
  const marked = withFiles(storableJson(output), (index) => {
    const file = files[index];
    if (file === undefined) return null;
    const name = file.name === undefined ? {} : { name: file.name };
    return { $file: { base64: file.bytes.toString("base64"), mime: file.contentType, ...name } };
  });
  return {
    state: "done",
    output: isJsonObject(marked) ? marked : {},
    usage,
    estimated: false,
    isEmpty: isEmpty === true,
  };
}

function withFiles(value: unknown, fileAt: (index: number) => JsonObject | null): unknown {
  if (Array.isArray(value)) return value.map((item) => withFiles(item, fileAt));
  if (!isJsonObject(value)) return value;
  const index = value["$file"];
  if (typeof index === "number") return fileAt(index);
  return Object.fromEntries(
    Object.entries(value).map(([member, inner]) => [member, withFiles(inner, fileAt)]),
  );
}

function ended(error: unknown): Attempt<never> {
  const problem = error instanceof Problem ? error : new Problem("internal_error", { cause: error });
  return { state: "failed", problem, tryNext: false, tryAgain: false, unhealthy: false };
}
