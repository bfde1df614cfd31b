import { isJsonObject } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";
import { Problem } from "../../core/problems.ts";
import { fileLimits } from "../../files/file-limits.ts";
import { cannotWriteNow } from "../../ledger/ledger-statements.ts";
import { openBody } from "../../providers/open-body.ts";
import { unfitAddress } from "./ask-provider.ts";
import type { DrivenRun, ServedOffer } from "./driven-run.ts";
import { FileRefused, mayKnowUsAgain, ownWay, pauseOfRefusals } from "./refused-credential.ts";
import type { RunHouse } from "./run-house.ts";
import type { SeenRun } from "./run-store.ts";

const fetchTimeoutMs = 900_000;
const tries = 3;
const pauseMs = 500;
/** With the pauses between, nearly ten minutes. */
const ownTries = 42;
const longestPauseMs = 15_000;
/** Of whoever began the run. */
const firstClaim = 1n;
const tooLarge = "The result is larger than this plan's files may be. Nothing was charged.";
const notFetched = "The result could not be fetched from the provider. Nothing was charged.";

/** The output with every file stored here and shown as an address of ours. Throws when one cannot be had. */
export async function storeOutput(
  run: DrivenRun,
  house: RunHouse,
  { output, offer }: { readonly output: JsonObject; readonly offer: ServedOffer },
): Promise<JsonObject> {
  const stored = new Map<string, string>();
  const visit = async (value: unknown): Promise<unknown> => {
    if (Array.isArray(value)) {
      const items: unknown[] = [];
      for (const item of value) items.push(await visit(item));
      return items;
    }
    if (!isJsonObject(value)) return value;
    const mark = value["$file"];
    if (isJsonObject(mark)) return addressOf(mark);
    const members: [string, unknown][] = [];
    for (const [member, inner] of Object.entries(value)) members.push([member, await visit(inner)]);
    return Object.fromEntries(members);
  };
  /** The same file in two places is stored once. */
  const addressOf = async (mark: JsonObject): Promise<string> => {
    const key = JSON.stringify(mark);
    const known = stored.get(key);
    if (known !== undefined) return known;
    const url = await storeFile(run, house, { mark, offer });
    stored.set(key, url);
    return url;
  };
  const result = await visit(output);
  return isJsonObject(result) ? result : {};
}

/**
 * Removes what was stored for a run whose result does not show it: it failed behind its first file, was called off, or is
 * somebody else's by now, who stores the files once more.
 */
export async function forgetUnshown(
  { row, made }: DrivenRun,
  house: RunHouse,
  output: unknown,
): Promise<void> {
  await forget(made, house, { ...row, output });
}

/**
 * The same of what those stored who drove a decided run before and died, which nobody remembers. What one of them stores
 * that lives and has only lost the run, it forgets by itself.
 */
export async function forgetEarlier(decided: SeenRun, house: RunHouse): Promise<void> {
  if (decided.claim === firstClaim) return;
  const owner = { accountId: decided.account_id, mode: decided.mode };
  await forget(await house.files.madeBy(decided.id, owner), house, decided);
}

async function forget(ids: readonly string[], house: RunHouse, row: SeenRun): Promise<void> {
  const shown = JSON.stringify(row.output ?? null);
  const owner = { accountId: row.account_id, mode: row.mode };
  const remove = async (id: string): Promise<void> => {
    try {
      await house.files.remove(id, owner);
    } catch (error) {
      if (error instanceof Problem && error.code === "not_found") return;
      house.log.warn({ run_id: row.id, file: id, err: error }, "a file that no result shows is left");
    }
  };
  await Promise.all(ids.filter((id) => !shown.includes(id)).map(remove));
}

type Marked = { readonly mark: JsonObject; readonly offer: ServedOffer };

/** That our own store or database is away, or is full, is no verdict: the provider did its work, and is paid for it. */
async function storeFile(run: DrivenRun, house: RunHouse, marked: Marked): Promise<string> {
  let failures = 0;
  let outages = 0;
  for (;;) {
    try {
      return await storeWhenKnown(run, house, marked);
    } catch (error) {
      const isAway = isOurs(error);
      if (error instanceof Problem && !isAway) throw told(error);
      if (run.stopped.aborted) throw error;
      if (isAway) outages += 1;
      else failures += 1;
      if (outages === ownTries) throw new Problem("service_unavailable", { cause: error });
      if (failures === tries) throw new Problem("upstream_error", { message: notFetched, cause: error });
      if (isAway) house.log.warn({ run_id: run.row.id, err: error }, "a run's file could not be stored yet");
      await run.wait(isAway ? Math.min(pauseMs * 2 ** (outages - 1), longestPauseMs) : pauseMs * failures);
    }
  }
}

function isOurs(error: unknown): boolean {
  return cannotWriteNow(error) || (error instanceof Problem && error.code === "service_unavailable");
}

/** Nor is it for some hours that the provider refuses our credential. */
async function storeWhenKnown(run: DrivenRun, house: RunHouse, marked: Marked): Promise<string> {
  for (let refusals = 1; ; refusals += 1) {
    try {
      return await storeOnce(run, house, marked);
    } catch (error) {
      const mayPass = error instanceof FileRefused && !run.stopped.aborted;
      if (!mayPass || !mayKnowUsAgain(run, house, error.refusal)) throw error;
      await run.wait(pauseOfRefusals(refusals));
    }
  }
}

/** A file of the result is larger than the plan's files may be. */
export class TooLargeToKeep extends Problem {
  constructor(cause: Problem) {
    super("run_failed", { message: tooLarge, cause });
  }
}

/** In the words of a run: the customer neither named the address nor sent the file. */
function told(problem: Problem): unknown {
  if (problem.code !== "request_too_large") return unfitAddress(problem);
  return new TooLargeToKeep(problem);
}

async function storeOnce(run: DrivenRun, house: RunHouse, marked: Marked): Promise<string> {
  // A body that nobody reads to its end would keep its connection.
  const leaving = new AbortController();
  try {
    return await stored(run, house, { ...marked, signal: AbortSignal.any([run.stopped, leaving.signal]) });
  } finally {
    leaving.abort();
  }
}

type Storing = Marked & { readonly signal: AbortSignal };

async function stored(run: DrivenRun, house: RunHouse, storing: Storing): Promise<string> {
  const { row } = run;
  const { mark } = storing;
  const { body, hint } = await bodyOf(house, storing);
  const file = await house.files.store({
    accountId: row.account_id,
    mode: row.mode,
    limits: fileLimits[row.plan],
    runId: row.id,
    ...(typeof mark["name"] === "string" ? { name: mark["name"] } : {}),
    ...(hint === undefined ? {} : { hint }),
    body,
  });
  run.made.push(file.id);
  return house.files.urlOf(file, row.public_url);
}

type Body = { readonly body: AsyncIterable<Buffer>; readonly hint: string | undefined };

async function bodyOf(house: RunHouse, { mark, offer, signal }: Storing): Promise<Body> {
  const { base64, mime, url } = mark;
  if (typeof base64 === "string") {
    const bytes = Buffer.from(base64, "base64");
    return { body: once(bytes), hint: typeof mime === "string" ? mime : undefined };
  }
  if (typeof url !== "string")
    throw new Problem("upstream_invalid_response", { cause: "a file without address" });
  return openFile(house, { offer, signal }, { url, hops: 0 });
}

const mostHops = 3;

type Opening = Pick<Storing, "offer" | "signal">;

/** A provider may send us on: the credential goes along only where it may follow, each time anew. */
async function openFile(
  house: RunHouse,
  { offer, signal }: Opening,
  { url, hops }: { readonly url: string; readonly hops: number },
): Promise<Body> {
  const followed = ownWay(offer.line, { url });
  const request = { url, maxBytes: Infinity, timeoutMs: fetchTimeoutMs, signal };
  const answer =
    followed === undefined
      ? await house.egress.stream(request)
      : await openBody(house.upstream, followed, signal);
  const { location, "content-type": hint } = answer.headers;
  if (answer.status >= 301 && answer.status <= 308 && typeof location === "string" && hops < mostHops) {
    for await (const _ of answer.body) break;
    return openFile(house, { offer, signal }, { url: new URL(location, url).href, hops: hops + 1 });
  }
  if (answer.status < 200 || answer.status > 299) {
    const said = `the result's address answers ${answer.status}`;
    if (followed === undefined) throw new Error(said);
    throw new FileRefused(said, { status: answer.status, way: followed });
  }
  return { body: answer.body, hint: typeof hint === "string" ? hint : undefined };
}

async function* once(bytes: Buffer): AsyncIterable<Buffer> {
  yield bytes;
}
