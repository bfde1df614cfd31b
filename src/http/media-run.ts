import type { ServerResponse } from "node:http";
import type { RunAsked } from "../calls/runs/begin-run.ts";
import type { SeenRun } from "../calls/runs/run-store.ts";
import { shownRun } from "../calls/runs/run-view.ts";
import { sandboxOrders } from "../calls/sandbox-orders.ts";
import { isJsonObject } from "../core/json-object.ts";
import type { JsonObject } from "../core/json-object.ts";
import { Problem } from "../core/problems.ts";
import type { DoorHeaders, Visit } from "./door.ts";
import type { FittedInputs } from "./fitted-inputs.ts";
import type { FormLimits } from "./form-body.ts";
import { sendAnswer } from "./render.ts";
import { serveRun } from "./runs.ts";
import type { RunsHouse, ShowLive } from "./runs.ts";

/** What the doors for OpenAI's clients need. */
export type MediaHouse = RunsHouse & {
  /** The largest body, of forms as well; undefined: as much as a server takes that says nothing else. */
  readonly maxBodyBytes?: number;
};

const usualBodyBytes = 33_554_432;

export function formLimitsOf({ maxBodyBytes = usualBodyBytes, chat }: MediaHouse): FormLimits {
  return { maxBytes: maxBodyBytes, stalledClientMs: chat.stalledClientMs };
}

/** These clients know nothing of jobs and wait this long themselves. */
export const mediaWaitMs = 600_000;

export type MediaAsked = FittedInputs & { readonly model: string };

/** How a door shows what was made. The headers say what was charged and what was left out. */
export type ShowMade = (made: Made, response: ServerResponse, headers: DoorHeaders) => Promise<void> | void;

export type Made = { readonly row: SeenRun; readonly output: JsonObject };

type Serving = {
  readonly house: MediaHouse;
  readonly visit: Visit<unknown>;
  readonly show: ShowMade;
  readonly showLive?: ShowLive;
};

/** Begins the run, waits for it, and lets the door show it in the form of its clients. */
export async function serveMedia(
  { model, inputs, dropped }: MediaAsked,
  response: ServerResponse,
  { house, visit, show, showLive }: Serving,
): Promise<void> {
  await serveRun(runAsked(visit, house, { model, inputs }), response, {
    house,
    visit,
    waitMs: mediaWaitMs,
    dropped,
    show: (row, shown, headers) => {
      const output = isJsonObject(row.output) ? row.output : {};
      return show({ row, output }, shown, headers);
    },
    ...(showLive === undefined ? {} : { showLive }),
  });
}

/** A run that is asked for by a request of another form; `digits` where a request asks for several. */
export function runAsked(
  visit: Visit<unknown>,
  house: RunsHouse,
  { model, inputs, digits }: Pick<MediaAsked, "model" | "inputs"> & { readonly digits?: string },
): RunAsked {
  const caller = visit.caller();
  const own = digits ?? visit.requestId.replace("req_", "");
  return {
    runId: `run_${own}`,
    callId: `call_${own}`,
    caller,
    model,
    inputs,
    mayFallBack: true,
    webhookUrl: undefined,
    orders: sandboxOrders(visit.headers, caller),
    publicUrl: house.publicUrl ?? visit.origin,
  };
}

type Showing = { readonly requestId: string; readonly headers: DoorHeaders };

/**
 * For a run without the file that the door was to show. One that ended with nothing cost nothing, and a client that waits
 * for a file has to be told so; whatever else was paid for is shown as `POST /v1/run` shows it.
 */
export function showOther(row: SeenRun, response: ServerResponse, { requestId, headers }: Showing): void {
  if ((row.cost ?? 0n) > 0n)
    return sendAnswer(response, requestId, { status: 200, body: shownRun(row), headers });
  throw new Problem("run_failed", {
    message: `The provider of ${row.model} made nothing. Nothing was charged.`,
    extra: { run_id: row.id },
  });
}
