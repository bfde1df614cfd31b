import { createHash } from "node:crypto";
import { awaitRun } from "../calls/runs/await-run.ts";
import { beginRun } from "../calls/runs/begin-run.ts";
import type { SeenRun } from "../calls/runs/run-store.ts";
import { problemOf } from "../calls/runs/run-view.ts";
import { isJsonObject } from "../core/json-object.ts";
import type { JsonObject } from "../core/json-object.ts";
import { Problem } from "../core/problems.ts";
import type { ProblemCode } from "../core/problems.ts";
import type { Visit } from "./door.ts";
import { earlierRunOf } from "./idempotency.ts";
import type { Message } from "./letters.ts";
import { mediaWaitMs, runAsked } from "./media-run.ts";
import type { RunsHouse } from "./runs.ts";

/** Who sends; its name is part of the public contract. */
export const mailModel = "aws/send-emails";

/**
 * What became of one message. `accepted`: it is on its way still. `unknown`: nobody knows whether it was sent, and it is
 * not sent again. `not_sent`: it was not begun.
 */
export type Sent = {
  readonly email: string;
  readonly status: "sent" | "accepted" | "failed" | "unknown" | "not_sent";
  readonly row: SeenRun | undefined;
  readonly problem: { readonly code: string; readonly message: string } | undefined;
};

/** After one of these nothing later can be begun either. */
const lasting: ReadonlySet<ProblemCode> = new Set<ProblemCode>([
  "insufficient_balance",
  "rate_limit_exceeded",
  "concurrency_limit_exceeded",
  "shutting_down",
  "service_unavailable",
  "provider_not_configured",
  "model_not_allowed",
]);

/**
 * Sends messages one after the other, each as a run of its own that is charged once. Throws when the first cannot be
 * begun: then nobody got anything. Runs have ids that follow from the request, so that the same request, told again with
 * its Idempotency-Key after a crash, goes on behind what was begun before and sends nothing twice.
 */
export async function sendEach(
  messages: readonly Message[],
  visit: Visit<unknown>,
  house: RunsHouse,
): Promise<readonly Sent[]> {
  const earlier = earlierRunOf(visit)?.replace("run_", "");
  const request = earlier ?? visit.requestId.replace("req_", "");
  const sent: Sent[] = [];
  let stop: Problem | undefined;
  for (const [index, message] of messages.entries()) {
    const email = message.to.join(", ");
    const { digits, before } =
      earlier === undefined
        ? { digits: digitsAt(request, index), before: undefined }
        : await begunBefore(request, index, house);
    if (before !== undefined) sent.push(outcomeOf(email, before));
    else if (stop !== undefined) sent.push(notSent(email, stop));
    else {
      const outcome = await sendOne(message, { visit, house, digits });
      if (outcome instanceof Problem) {
        if (sent.length === 0) throw outcome;
        if (lasting.has(outcome.code)) stop = outcome;
        sent.push(notSent(email, outcome));
      } else sent.push(outcomeOf(email, outcome));
    }
  }
  return sent;
}

type BegunBefore = { readonly digits: string; readonly before: SeenRun | undefined };

/**
 * The run of a message, or the digits to begin it with. A process that died between the hold and the run left a call that
 * was closed without a run: nothing was sent, and the message takes the next digits in line, the same ones for everybody
 * who asks.
 */
async function begunBefore(request: string, index: number, { runs }: RunsHouse): Promise<BegunBefore> {
  for (let turn = 0; ; turn += 1) {
    const digits = digitsAt(request, index, turn);
    const before = await runs.store.read(`run_${digits}`);
    if (before !== undefined || !(await runs.store.isClosed(`call_${digits}`))) return { digits, before };
  }
}

/** The digits of the request itself for the first, and the same ones each time for each of the others. */
function digitsAt(request: string, index: number, turn = 0): string {
  if (index === 0 && turn === 0) return request;
  const name = turn === 0 ? `${request} ${index}` : `${request} ${index} ${turn}`;
  const hash = createHash("sha256").update(name).digest("hex");
  return request.slice(0, 12) + hash.slice(0, 20);
}

type Sending = { readonly visit: Visit<unknown>; readonly house: RunsHouse; readonly digits: string };

/** A client that leaves changes nothing: what was asked for is done. */
async function sendOne(message: Message, { visit, house, digits }: Sending): Promise<SeenRun | Problem> {
  const { runs, keeper } = house;
  try {
    const asked = runAsked(visit, house, { model: mailModel, inputs: mailInputs(message), digits });
    const begun = await beginRun(asked, runs, keeper);
    return await awaitRun(begun, runs, { ms: mediaWaitMs, onGone: () => undefined });
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

export function mailInputs({ to, subject, html, text, replyTo, from }: Message): JsonObject {
  return {
    to,
    subject,
    ...(html === undefined ? {} : { html }),
    ...(text === undefined ? {} : { text }),
    ...(replyTo === undefined ? {} : { reply_to: replyTo }),
    ...(from === undefined ? {} : { from }),
  };
}

function outcomeOf(email: string, row: SeenRun): Sent {
  const problem = problemOf(row);
  if (row.state !== "over") return { email, row, status: "accepted", problem: undefined };
  if (problem === undefined) return { email, row, status: "sent", problem };
  return { email, row, status: problem.code === "outcome_unknown" ? "unknown" : "failed", problem };
}

function notSent(email: string, { code, message }: Problem): Sent {
  return { email, row: undefined, status: "not_sent", problem: { code, message } };
}

/** As an answer tells it. */
export function shownSent({ email, status, row, problem }: Sent): JsonObject {
  const id = row !== undefined && isJsonObject(row.output) ? row.output["message_id"] : undefined;
  return {
    email,
    status,
    ...(row === undefined ? {} : { run_id: row.id }),
    ...(id === undefined ? {} : { message_id: id }),
    ...(problem === undefined ? {} : { error: problem.message, error_code: problem.code }),
  };
}
