import { z } from "zod";
import { callerHeaders } from "../calls/caller-headers.ts";
import { cancelRun } from "../calls/runs/cancel-run.ts";
import type { RunQuery, SeenRun } from "../calls/runs/run-store.ts";
import { shownJob, statusOf } from "../calls/runs/run-view.ts";
import type { RunStatus } from "../calls/runs/run-view.ts";
import { Problem } from "../core/problems.ts";
import { count, job, runEvent } from "./answer-schemas.ts";
import type { Door, DoorAnswer, Visit } from "./door.ts";
import type { RunsHouse } from "./runs.ts";
import { followEvents, sharedLooks } from "./run-events.ts";

const mostListed = 200;
const usuallyListed = 50;

const statuses: Readonly<Record<RunStatus, RunQuery["status"]>> = {
  queued: "queued",
  running: "running",
  completed: ["done", "empty"],
  failed: ["failed"],
  canceled: ["canceled"],
};

function isStatus(text: string): text is RunStatus {
  return Object.hasOwn(statuses, text);
}

/** Runs by their id: whoever lost the connection finds the result here. */
export function jobDoors(house: RunsHouse): readonly Door[] {
  return [listDoor(house), newsDoor(house), ...readDoors(house), eventsDoor(house), cancelDoor(house)];
}

function listDoor(house: RunsHouse): Door {
  return {
    method: "GET",
    path: "/v1/job",
    access: "caller",
    query: { status: z.enum(Object.keys(statuses)), limit: z.int().min(1).max(mostListed) },
    summary: "The latest runs. `?status=queued|running|completed|failed|canceled&limit=`.",
    answers:
      "`jobs` and `count`. Where their results are more than some MB together, the largest are left out: each is at its `poll_url`.",
    answerForm: z.strictObject({ object: z.literal("list"), jobs: z.array(job), count }),
    answer: async (visit) => {
      const rows = await house.runs.store.list(queryOf(visit));
      return { status: 200, body: { object: "list", jobs: rows.map(shownJob), count: rows.length } };
    },
  };
}

function readDoors(house: RunsHouse): readonly Door[] {
  const answer = (visit: Visit<unknown>): Promise<DoorAnswer> => readJob(visit, house);
  return [
    {
      method: "GET",
      path: "/v1/job/{id}",
      access: "caller",
      summary: "One run: how far it is, and its result.",
      answers:
        "`status` is queued, running, completed, failed or canceled; `result` as `POST /v1/run` answers.",
      answerForm: job,
      answer,
    },
    {
      method: "GET",
      path: "/v1/run/{id}",
      access: "caller",
      summary: "The same under the run's own address.",
      answers: "As `GET /v1/job/{id}`.",
      answerForm: job,
      answer,
    },
  ];
}

function eventsDoor(house: RunsHouse): Door {
  const look = sharedLooks(house.runs.store);
  return {
    method: "GET",
    path: "/v1/run/{id}/events",
    access: "caller",
    summary:
      "What happens to a run, as server-sent events; `Last-Event-ID`, or `?after=`, goes on where a connection broke.",
    answers:
      "`accepted`, `progress`, `fetching`, and at last `completed`, `failed` or `canceled` with the job.",
    eventForm: runEvent,
    otherAnswers: [
      { status: 204, answers: "The run is over, and its last event was seen: do not ask again." },
    ],
    query: { after: z.int().min(0).describe("The id of the last event that was seen.") },
    headers: { "Last-Event-ID": z.string().describe("The same; it goes before.") },
    attend: async (visit, request, response) => {
      const row = await ownRun(visit, house);
      const { keepAliveMs, openCalls } = house.chat;
      const isHeadOnly = request.method === "HEAD";
      const known = { "x-skillboss-cost": "0.000000", ...(await callerHeaders(visit.caller(), house.chat)) };
      const isStopping = (): boolean => openCalls.isClosed;
      await followEvents(row, response, { look, visit, known, keepAliveMs, isHeadOnly, isStopping });
    },
  };
}

function cancelDoor(house: RunsHouse): Door {
  return {
    method: "POST",
    path: "/v1/run/{id}/cancel",
    access: "caller",
    summary: "Calls a run off that waits at its provider, or is worked on here. Nothing is charged.",
    answers: "The run, canceled; or as it ended before. 409 while it is handed over, or acts on the world.",
    answerForm: job,
    body: z.strictObject({}),
    answer: async (visit) => {
      const row = await cancelRun(await ownRun(visit, house), house.runs, house.keeper);
      return { status: 200, body: shownJob(row) };
    },
  };
}

/** The address is the credential, and it says all: what is sent there is neither read nor believed. */
function newsDoor({ news, keeper }: RunsHouse): Door {
  return {
    method: "POST",
    path: "/v1/run/{id}/news/{token}",
    access: "open",
    summary: "For providers: there is news of a run.",
    answers: "Nothing.",
    status: 204,
    answer: async (visit) => {
      const { id = "", token = "" } = visit.parameters;
      if (!news.isGenuine(id, token)) throw new Problem("not_found");
      await keeper.hurry(id);
      return { status: 204 };
    },
  };
}

async function readJob(visit: Visit<unknown>, house: RunsHouse): Promise<DoorAnswer> {
  const row = await ownRun(visit, house);
  return { status: 200, body: shownJob(row), headers: { "x-skillboss-status": statusOf(row) } };
}

/** Another account's run is told as one that does not exist. */
async function ownRun(visit: Visit<unknown>, { runs }: RunsHouse): Promise<SeenRun> {
  const { accountId, mode } = visit.caller();
  const id = visit.parameters["id"] ?? "";
  const row = /^run_[0-9a-f]{32}$/.test(id) ? await runs.store.read(id) : undefined;
  if (row === undefined || row.account_id !== accountId || row.mode !== mode)
    throw new Problem("not_found", { message: "There is no such run." });
  return row;
}

function queryOf(visit: Visit<unknown>): RunQuery {
  const { accountId, mode } = visit.caller();
  const limit = Number(visit.query.get("limit") ?? usuallyListed);
  if (!Number.isInteger(limit) || limit < 1 || limit > mostListed)
    throw new Problem("invalid_request", { param: "limit", message: `limit: want 1 to ${mostListed}.` });
  const asked = visit.query.get("status");
  if (asked === null) return { accountId, mode, limit, status: undefined };
  if (!isStatus(asked)) {
    const message = `status: want ${Object.keys(statuses).join(", ")}.`;
    throw new Problem("invalid_request", { param: "status", message });
  }
  return { accountId, mode, limit, status: statuses[asked] };
}
