import type { ServerResponse } from "node:http";
import { awaitRun } from "../calls/runs/await-run.ts";
import { balanceMembers } from "../calls/runs/balance-members.ts";
import { beginRun } from "../calls/runs/begin-run.ts";
import type { RunAsked } from "../calls/runs/begin-run.ts";
import { leftOutBy } from "../calls/runs/left-out.ts";
import { LiveSound } from "../calls/runs/live-sound.ts";
import type { SoundBegun } from "../calls/runs/live-sound.ts";
import type { RunHouse } from "../calls/runs/run-house.ts";
import type { RunKeeper } from "../calls/runs/run-keeper.ts";
import type { RunNews } from "../calls/runs/run-news.ts";
import type { SeenRun } from "../calls/runs/run-store.ts";
import { acceptedJob, problemOf, shownRun } from "../calls/runs/run-view.ts";
import { callerHeaders, limitHeaders } from "../calls/caller-headers.ts";
import { formatCredits } from "../core/credits.ts";
import { isProblemCode, Problem } from "../core/problems.ts";
import type { ChatHouse } from "../calls/chat-house.ts";
import type { DoorHeaders, Visit } from "./door.ts";
import { droppedHeader } from "./fitted-inputs.ts";
import { earlierRunOf } from "./idempotency.ts";
import { sendAnswer, sendProblem } from "./render.ts";

export type RunsHouse = {
  readonly runs: RunHouse;
  readonly keeper: RunKeeper;
  readonly news: RunNews;
  readonly chat: ChatHouse;
  /** The address under which customers reach us; undefined: as each request has it. */
  readonly publicUrl: string | undefined;
};

type Serving = {
  readonly house: RunsHouse;
  readonly visit: Visit<unknown>;
  readonly waitMs: number;
  /** Members of the request that have no place in the run. */
  readonly dropped: readonly string[];
};

/** How a door shows a result that is there; undefined for the usual form. */
export type ShowRun = (row: SeenRun, response: ServerResponse, headers: DoorHeaders) => Promise<void> | void;

/** How a door lets a sound be heard while it is made; undefined where the result is wanted whole. */
export type ShowLive = (
  sound: SoundToShow,
  response: ServerResponse,
  headers: DoorHeaders,
) => Promise<void> | void;

export type SoundToShow = {
  readonly begun: SoundBegun;
  readonly live: LiveSound;
  /** Resolves when the run is over, or no longer waited for: whether the sound came to its end and is paid for. */
  readonly isPaid: Promise<boolean>;
};

type Showing = { readonly show?: ShowRun; readonly showLive?: ShowLive };

/**
 * Begins the run, waits as long as wanted, and answers with the result, its problem, or a job. A run that an earlier
 * request with the same Idempotency-Key began is not begun again: it is the answer.
 */
export async function serveRun(
  asked: RunAsked,
  response: ServerResponse,
  serving: Serving & Showing,
): Promise<void> {
  const { house, visit, waitMs, showLive } = serving;
  const { runs, keeper } = house;
  const dropped = droppedHeader(serving.dropped);
  const earlier = await earlierRow(visit, house);
  if (earlier !== undefined) return answerRun(asked, response, { ...serving, row: earlier, known: dropped });
  const live = showLive === undefined ? undefined : new LiveSound();
  const begun = await beginRun({ ...asked, live }, runs, keeper);
  const known = { ...limitHeaders(begun.ticket.state), ...dropped };
  const onGone = (listener: () => void) => void response.once("close", listener);
  const ended = waitMs === 0 ? Promise.resolve(begun.row) : awaitRun(begun, runs, { ms: waitMs, onGone });
  const closing = ended.finally(() => live?.close());
  const sound = await live?.begun;
  if (live === undefined || sound === undefined || showLive === undefined) {
    return answerRun(asked, response, { ...serving, row: await closing, known });
  }
  const isPaid = closing.then(isDone, () => false);
  const balance = { "x-skillboss-balance": formatCredits(begun.available) };
  const named = namesOf({ ...begun.row, offer: sound.offer });
  const costs = sound.cost === undefined ? {} : { "x-skillboss-cost": formatCredits(sound.cost) };
  await showLive({ begun: sound, live, isPaid }, response, { ...known, ...balance, ...named, ...costs });
}

type Standing = { readonly row: SeenRun; readonly known: DoorHeaders };

async function answerRun(
  { caller, inputs }: RunAsked,
  response: ServerResponse,
  { house, visit, show, row, known, dropped }: Serving & Showing & Standing,
): Promise<void> {
  const { runs } = house;
  const notUsed = droppedHeader([...dropped, ...leftOutBy(row, inputs, runs)]);
  const headers = { ...known, ...notUsed, ...headersOf(row), ...(await callerHeaders(caller, runs)) };
  if (row.state !== "over") {
    const accepted = { ...headers, location: `${row.public_url}/v1/job/${row.id}`, "retry-after": "5" };
    sendAnswer(response, visit.requestId, { status: 202, body: acceptedJob(row), headers: accepted });
    return;
  }
  const failure = failureOf(row);
  if (failure !== undefined) throw failure;
  if (show !== undefined) return showPaid(response, { row, headers, show, visit, house });
  const body = { ...shownRun(row), ...(await balanceMembers(caller, runs.ledger)) };
  sendAnswer(response, visit.requestId, { status: 200, body, headers });
}

type Paid = Pick<Serving, "house" | "visit"> & {
  readonly row: SeenRun;
  readonly headers: DoorHeaders;
  readonly show: ShowRun;
};

/**
 * What was charged and cannot be shown, because its file cannot be read now, is told as that. Clients ask again for a 503
 * by themselves, and without an Idempotency-Key would have it made, and pay for it, once more.
 */
async function showPaid(response: ServerResponse, paid: Paid): Promise<void> {
  const { row, headers, show, visit, house } = paid;
  try {
    await show(row, response, headers);
  } catch (cause) {
    if (response.headersSent || (row.cost ?? 0n) === 0n) throw cause;
    house.runs.log.error({ run_id: row.id, err: cause }, "a result that was charged could not be shown");
    const message = `This was done and charged, but cannot be shown now: its result is at GET /v1/job/${row.id}.`;
    const code = visit.headers["idempotency-key"] === undefined ? "answer_not_kept" : "service_unavailable";
    const problem = new Problem(code, { message, extra: { run_id: row.id }, cause });
    sendProblem(response, { requestId: visit.requestId, problem, headers });
  }
}

async function earlierRow(visit: Visit<unknown>, { runs }: RunsHouse): Promise<SeenRun | undefined> {
  const id = earlierRunOf(visit);
  return id === undefined ? undefined : runs.store.read(id);
}

function isDone({ state, ending }: SeenRun): boolean {
  return state === "over" && ending === "done";
}

function headersOf(row: SeenRun): DoorHeaders {
  return {
    ...namesOf(row),
    // Nothing is charged before the end.
    "x-skillboss-cost": formatCredits(row.state === "over" ? (row.cost ?? 0n) : 0n),
  };
}

function namesOf({ id, offer }: Pick<SeenRun, "id" | "offer">): DoorHeaders {
  return { "x-skillboss-run-id": id, ...(offer === null ? {} : { "x-skillboss-model": offer }) };
}

/** What the customer reads of a run that failed. */
export function failureOf(row: SeenRun): Problem | undefined {
  const problem = problemOf(row);
  if (problem === undefined) return undefined;
  const code = isProblemCode(problem.code) ? problem.code : "internal_error";
  const { message, param, retryAfterSeconds } = problem;
  return new Problem(code, {
    message,
    extra: { run_id: row.id },
    ...(param === undefined ? {} : { param }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}
