import type { ServerResponse } from "node:http";
import { z } from "zod";
import type { RunAsked } from "../calls/runs/begin-run.ts";
import { findModel } from "../calls/find-model.ts";
import { sandboxOrders } from "../calls/sandbox-orders.ts";
import { nearNames } from "../catalog/near-names.ts";
import { isJsonObject } from "../core/json-object.ts";
import type { RunModel } from "../core/model.ts";
import { Problem } from "../core/problems.ts";
import { acceptedRun, chatCompletion, chatCompletionChunk, runResult } from "./answer-schemas.ts";
import { chatRunBody, serveChat } from "./chat-completions.ts";
import type { Door, Visit } from "./door.ts";
import { habitualInputs } from "./habitual-inputs.ts";
import { withMainFile } from "./main-file.ts";
import { checked, parseJsonObject } from "./parse-json.ts";
import { letterIn, sendLetter, sentForm, strangersIn } from "./send-emails.ts";
import { serveRun } from "./runs.ts";
import type { RunsHouse } from "./runs.ts";

const runBody = z.strictObject({
  model: z.string().min(1).describe("Model id or alias, see GET /v1/models."),
  inputs: z.record(z.string(), z.unknown()).default({}).describe("As the model's input_schema says."),
  stream: z.boolean().nullish().describe("For chat models; a run's progress is at GET /v1/run/{id}/events."),
  auto_fallback: z.boolean().nullish().describe("false: no other provider is tried."),
  async: z.boolean().nullish().describe("true: answer at once with a job."),
  webhook: z
    .union([z.string(), z.strictObject({ url: z.string() }).transform(({ url }) => url)])
    .nullish()
    .describe("Told when the run is over."),
  api_key: z.unknown().optional().describe("Ignored: the key is in the Authorization header."),
});

export type RunBody = z.output<typeof runBody>;

const longestWaitSeconds = 3_600;

/** `POST /v1/run`: everything that is not chat, and chat as well. */
export function runDoor(house: RunsHouse): Door {
  return {
    method: "POST",
    path: "/v1/run",
    access: "caller",
    summary: "Runs any model: images, video, speech, scraping, search, e-mail, documents and more.",
    answers:
      "The result, with `id`, `usage` and what it cost; for a chat model as `POST /v1/chat/completions`, for several letters as `POST /v1/send-emails`.",
    answerForm: z.union([runResult, chatCompletion, sentForm]),
    eventForm: chatCompletionChunk,
    otherAnswers: [acceptedRun],
    headers: {
      Prefer: z.string().describe("`wait=5` waits five seconds for the result, `respond-async` not at all."),
    },
    body: runBody,
    async attend(visit, _request, response) {
      const { value, raw } = parseJsonObject(visit.rawBody);
      refuseLooseInputs(value);
      const body = checked(runBody, value);
      const { model } = findModel(body.model, visit.caller(), house.chat.catalog);
      if (model.kind === "chat") {
        refuseJobs(body, "chat models");
        const mayFallBack = body.auto_fallback !== false;
        return serveChat(visit, response, { house: house.chat, mayFallBack, ...chatRunBody(body, raw) });
      }
      await serveModel({ model, body }, response, { visit, house });
    },
  };
}

/** What a model is to be told stands within `inputs`, and is not taken for a misspelt member. */
function refuseLooseInputs(value: unknown): void {
  if (!isJsonObject(value)) return;
  const known = Object.keys(runBody.shape);
  const name = Object.keys(value).find((one) => !known.includes(one));
  if (name === undefined) return;
  const [near] = nearNames(known.map((one) => [one, one] as const))(name, 1);
  const hint =
    near === undefined
      ? 'what the model is told goes within inputs: {"inputs": {…}}'
      : `did you mean ${near}?`;
  const param = name.slice(0, 64);
  throw new Problem("invalid_request", { param, message: `${param}: there is no such member; ${hint}` });
}

type Asked = { readonly model: RunModel; readonly body: RunBody };
type Serving = { readonly visit: Visit<unknown>; readonly house: RunsHouse };

async function serveModel({ model, body }: Asked, response: ServerResponse, serving: Serving): Promise<void> {
  const { visit, house } = serving;
  const letter = letterIn(model, body.inputs);
  if (letter !== undefined) {
    refuseJobs(body, "letters to receivers with names of their own");
    return sendLetter(letter, response, { visit, house, dropped: strangersIn(letter) });
  }
  const { inputs, dropped } = habitualInputs(model, await withMainFile(model, body.inputs, serving));
  await serveRun(askedOf({ ...body, inputs }, serving), response, {
    house,
    visit,
    waitMs: waitOf(visit, body, house.runs.waitMs),
    // The Skills Pack's scripts ask every model to stream.
    dropped: [...(body.stream === true ? ["stream"] : []), ...dropped],
  });
}

/** These are answered while the client listens. */
function refuseJobs({ async: isAsync, webhook }: RunBody, what: string): void {
  const param = isAsync === true ? "async" : "webhook";
  if (isAsync !== true && (webhook ?? undefined) === undefined) return;
  throw new Problem("invalid_request", { param, message: `${param}: ${what} do not run as jobs.` });
}

function askedOf(body: RunBody, { visit, house }: Serving): RunAsked {
  const caller = visit.caller();
  return {
    runId: visit.requestId.replace("req_", "run_"),
    callId: visit.requestId.replace("req_", "call_"),
    caller,
    model: body.model,
    inputs: body.inputs,
    mayFallBack: body.auto_fallback !== false,
    webhookUrl: body.webhook ?? undefined,
    orders: sandboxOrders(visit.headers, caller),
    publicUrl: house.publicUrl ?? visit.origin,
  };
}

/** `Prefer: wait=5`, `Prefer: respond-async` or `"async": true` (RFC 7240). */
function waitOf(visit: Visit<unknown>, body: RunBody, usualMs: number): number {
  if (body.async === true) return 0;
  const prefer = String(visit.headers["prefer"] ?? "");
  if (/(?:^|,)\s*respond-async\b/i.test(prefer)) return 0;
  const seconds = /(?:^|,)\s*wait\s*=\s*"?(\d{1,6})"?/i.exec(prefer)?.[1];
  return seconds === undefined ? usualMs : Math.min(Number(seconds), longestWaitSeconds) * 1000;
}
