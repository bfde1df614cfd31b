import type { ServerResponse } from "node:http";
import { z } from "zod";
import { callerHeaders } from "../calls/caller-headers.ts";
import { balanceMembers } from "../calls/runs/balance-members.ts";
import { shownRun } from "../calls/runs/run-view.ts";
import { formatCredits } from "../core/credits.ts";
import { exactUsd } from "../core/price.ts";
import { isJsonObject } from "../core/json-object.ts";
import type { JsonObject } from "../core/json-object.ts";
import type { RunModel } from "../core/model.ts";
import { Problem } from "../core/problems.ts";
import { acceptedRun, balanceForms, count, runResult } from "./answer-schemas.ts";
import type { Door, Visit } from "./door.ts";
import { droppedHeader } from "./fitted-inputs.ts";
import { jointMessageOf, letter, messagesOf } from "./letters.ts";
import type { Message } from "./letters.ts";
import { mailInputs, mailModel, sendEach, shownSent } from "./mail-batch.ts";
import type { Sent } from "./mail-batch.ts";
import { mediaWaitMs, runAsked } from "./media-run.ts";
import { checked, parseJsonObject } from "./parse-json.ts";
import { sendAnswer } from "./render.ts";
import { serveRun } from "./runs.ts";
import type { RunsHouse } from "./runs.ts";

const mostMessages = 500;

const batch = letter.extend({
  emails: z.array(letter).min(1).max(mostMessages).nullish().describe("Several letters, each as above."),
});

/** What became of several messages. */
export const sentForm = z.strictObject({
  success: z.boolean().describe("All were sent, or are on their way."),
  object: z.literal("list"),
  count,
  sent: count,
  accepted: count.describe("On their way still."),
  failed: count,
  unknown: count.describe("Nobody knows whether they were sent; they are not sent again."),
  not_sent: count.describe("Not begun."),
  results: z.array(
    z.strictObject({
      email: z.string(),
      status: z.enum(["sent", "accepted", "failed", "unknown", "not_sent"]),
      run_id: z.string().optional(),
      message_id: z.string().optional(),
      error: z.string().optional(),
      error_code: z.string().optional(),
    }),
  ),
  _call_cost_usd: z.number(),
  _balance_warning: balanceForms._balance_warning.optional(),
  _remaining_credits: balanceForms._remaining_credits.optional(),
});

/** One message to all is a run; else what became of each. */
const letterAnswer = z.union([runResult.extend({ success: z.literal(true) }), sentForm]);

/** Mail in the form of the Skills Pack and of the command line. */
export function mailDoors(house: RunsHouse): readonly Door[] {
  return [
    {
      method: "POST",
      path: "/v1/send-email",
      access: "caller",
      summary: "Sends one message to all receivers together; one each where receivers have variables.",
      answers: "`success`, `status`, `message_id`; for several messages as `POST /v1/send-emails`.",
      answerForm: letterAnswer,
      otherAnswers: [acceptedRun],
      body: letter,
      attend: (visit, _request, response) => sendJointly(visit, response, house),
    },
    {
      method: "POST",
      path: "/v1/send-emails",
      access: "caller",
      summary: "Sends a message of their own to each receiver, with {{name}} filled in, each charged once.",
      answers: "`success`, the counts, and `results` with what became of each message.",
      answerForm: sentForm,
      body: batch,
      async attend(visit, _request, response) {
        const body = checked(batch, parseJsonObject(visit.rawBody).value);
        const messages = body.emails?.flatMap(messagesOf) ?? messagesOf(body);
        await sendBatch(messages, response, { visit, house, dropped: strangersIn(body) });
      },
    },
  ];
}

async function sendJointly(visit: Visit<unknown>, response: ServerResponse, house: RunsHouse): Promise<void> {
  const body = checked(letter, parseJsonObject(visit.rawBody).value);
  await sendLetter(body, response, { visit, house, dropped: strangersIn(body) });
}

/** One message to all, or one to each receiver where they have variables. */
export async function sendLetter(
  body: z.output<typeof letter>,
  response: ServerResponse,
  { visit, house, dropped }: Sending,
): Promise<void> {
  const message = jointMessageOf(body);
  if (message === undefined) return sendBatch(messagesOf(body), response, { visit, house, dropped });
  const asked = runAsked(visit, house, { model: mailModel, inputs: mailInputs(message) });
  await serveRun(asked, response, {
    house,
    visit,
    waitMs: mediaWaitMs,
    dropped,
    async show(row, shown, headers) {
      const balance = await balanceMembers(visit.caller(), house.runs.ledger);
      const members = { success: true, ...shownRun(row), ...balance };
      sendAnswer(shown, visit.requestId, { status: 200, body: members, headers });
    },
  });
}

/** Inputs of a run that are a letter to receivers with names and variables, as the Skills Pack writes them. */
export function letterIn(model: RunModel, inputs: JsonObject): z.output<typeof letter> | undefined {
  const receivers = [inputs["receivers"] ?? inputs["to"]].flat();
  if (model.id !== mailModel || !receivers.some(isJsonObject)) return undefined;
  return checked(letter, inputs, ["inputs"]);
}

/** Members that say nothing here, such as `project_id`. */
export function strangersIn(body: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.keys(body).filter((name) => !Object.hasOwn(batch.shape, name));
}

type Sending = {
  readonly visit: Visit<unknown>;
  readonly house: RunsHouse;
  readonly dropped: readonly string[];
};

async function sendBatch(
  messages: readonly Message[],
  response: ServerResponse,
  { visit, house, dropped }: Sending,
): Promise<void> {
  refuseMany(messages);
  refuseTwins(messages);
  const sent = await sendEach(messages, visit, house);
  const { runs } = house;
  const caller = visit.caller();
  const cost = sent.reduce((sum, { row }) => sum + (row?.cost ?? 0n), 0n);
  const body = {
    success: sent.every(({ status }) => status === "sent" || status === "accepted"),
    object: "list",
    ...countsOf(sent),
    results: sent.map(shownSent),
    _call_cost_usd: exactUsd(cost, runs.creditUsd),
    ...(await balanceMembers(caller, runs.ledger)),
  };
  const headers = {
    ...(await callerHeaders(caller, runs)),
    "x-skillboss-cost": formatCredits(cost),
    ...droppedHeader(dropped),
  };
  sendAnswer(response, visit.requestId, { status: 200, body, headers });
}

function countsOf(sent: readonly Sent[]): Readonly<Record<Sent["status"] | "count", number>> {
  const count = (status: Sent["status"]): number => sent.filter((one) => one.status === status).length;
  return {
    count: sent.length,
    sent: count("sent"),
    accepted: count("accepted"),
    failed: count("failed"),
    unknown: count("unknown"),
    not_sent: count("not_sent"),
  };
}

function refuseMany({ length }: readonly Message[]): void {
  if (length <= mostMessages) return;
  throw new Problem("invalid_request", {
    param: "receivers",
    message: `receivers: want at most ${mostMessages} at once.`,
  });
}

/** The same message to the same address is never meant twice. */
function refuseTwins(messages: readonly Message[]): void {
  const seen = new Set<string>();
  for (const { to, ...content } of messages) {
    const key = JSON.stringify([to.join().toLowerCase(), content]);
    if (seen.has(key))
      throw new Problem("invalid_request", {
        param: "receivers",
        message: `receivers: ${to.join()} is there twice.`,
      });
    seen.add(key);
  }
}
