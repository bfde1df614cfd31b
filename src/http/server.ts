import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { KeptAnswers } from "../calls/idempotency/kept-answers.ts";
import type { Caller } from "../core/caller.ts";
import { newId } from "../core/ids.ts";
import type { Log } from "../core/log.ts";
import { Problem, problems } from "../core/problems.ts";
import { cannotWriteNow } from "../ledger/ledger-statements.ts";
import type { Doorkeeper } from "../identity/doorkeeper.ts";
import { refuseBrokenRequest, watchAnswer } from "./broken-request.ts";
import { isClosing, refuseAndClose } from "./closing-connection.ts";
import { ContentDigest } from "./content-digest.ts";
import type { Door, DoorHeaders, Query, Visit } from "./door.ts";
import { readForm } from "./form-body.ts";
import { idempotencyKeyOf, serveOnce } from "./idempotency.ts";
import { nearAddressOf } from "./near-address.ts";
import type { NearAddress } from "./near-address.ts";
import { originOf } from "./origin.ts";
import { checked, parseJsonObject } from "./parse-json.ts";
import { refuseSlips } from "./query.ts";
import { readBody } from "./read-body.ts";
import { sendAnswer, sendProblem } from "./render.ts";
import { strangenessOf } from "./request-form.ts";
import { routerOf } from "./router.ts";
import type { Matched, Router } from "./router.ts";

export type FrontSettings = {
  readonly doors: readonly Door[];
  readonly doorkeeper: Doorkeeper;
  readonly log: Log;
  readonly maxBodyBytes: number;
  readonly timeouts?: FrontTimeouts;
  /** Undefined: an Idempotency-Key means nothing here. */
  readonly answers?: KeptAnswers;
  /** Limits and balance, for a caller's answers that no call has set them for. Never rejects. */
  readonly headersFor: (caller: Caller) => Promise<DoorHeaders>;
};

export type FrontTimeouts = {
  /** A client has this long to send its headers, */
  readonly headersMs: number;
  /** and this long for the headers and the body together, unless the body is read at its own pace: forms and files. */
  readonly requestMs: number;
  /** How often the two above are looked at. */
  readonly checkEveryMs: number;
  readonly keepAliveMs: number;
};

const usualTimeouts: FrontTimeouts = {
  headersMs: 20_000,
  requestMs: 120_000,
  checkEveryMs: 5_000,
  // Above the usual load balancer's 60 s, so that it is never we who close a connection under a request.
  keepAliveMs: 75_000,
};
const maxHeaderBytes = 16 * 1024;

/** The public face: every request is routed, let in or refused, and answered in one form. */
export function frontServer(settings: FrontSettings): Server {
  const router: Guide = { ...routerOf(settings.doors), near: nearAddressOf(settings.doors) };
  const timeouts = settings.timeouts ?? usualTimeouts;
  const server = createServer({
    noDelay: true,
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: timeouts.headersMs,
    requestTimeout: timeouts.requestMs,
    connectionsCheckingInterval: timeouts.checkEveryMs,
    keepAliveTimeout: timeouts.keepAliveMs,
    // Asked for by `strangenessOf`, which answers in our form.
    requireHostHeader: false,
  });
  server.maxHeadersCount = 0;
  const take = (request: IncomingMessage, response: ServerResponse): void => {
    if (isClosing(request.socket)) return;
    watchAnswer(request, response);
    const exchange: Exchange = { request, response, requestId: newId("req"), caller: undefined };
    const strangeness = strangenessOf(request);
    if (strangeness === undefined) {
      serve(exchange, settings, router).catch((error: unknown) => fail(exchange, settings, error));
    } else refuseAndClose(request, response, { requestId: exchange.requestId, problem: strangeness });
  };
  server.on("request", take);
  // A body that is asked for first is asked for in `readBody`; other expectations may be ignored (RFC 9110, 10.1.1).
  server.on("checkContinue", take);
  server.on("checkExpectation", take);
  server.on("clientError", refuseBrokenRequest);
  return server;
}

type Guide = Router & { readonly near: NearAddress };

type Exchange = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  /** Known once the door let them in. */
  caller: Caller | undefined;
};

async function serve(exchange: Exchange, settings: FrontSettings, router: Guide): Promise<void> {
  const { request, response, requestId } = exchange;
  const { door, parameters, query } = find(request, response, router);
  const admitting = admit(door, request, settings);
  const caller = admitting instanceof Promise ? await admitting : admitting;
  exchange.caller = caller;
  if (door.query !== undefined && query.size > 0) refuseSlips(query, Object.keys(door.query));
  const { answers } = settings;
  const key = answers === undefined ? undefined : idempotencyKeyOf(door, request);
  const digest = key === undefined ? undefined : new ContentDigest();
  const { rawBody, body } = await readSent(exchange, settings, { door, digest });
  const visit: Visit<unknown> = {
    requestId,
    parameters,
    query,
    headers: request.headers,
    origin: originOf(request),
    rawBody,
    body,
    digest,
    caller: () => caller ?? missingCaller(),
  };
  if (answers === undefined || key === undefined || digest === undefined) {
    await attend(exchange, settings, { door, visit });
    return;
  }
  const readOver = "readOver" in door ? () => door.readOver(visit, request, response) : undefined;
  const known = (): Promise<DoorHeaders> => knownOf(exchange, settings);
  await serveOnce({ ...exchange, key, rawBody, digest, readOver, known }, answers, (earlier) =>
    attend(exchange, settings, { door, visit: { ...visit, ...earlier } }),
  );
}

type Sent = Pick<Visit<unknown>, "rawBody" | "body">;
type Reading = { readonly door: Door; readonly digest: ContentDigest | undefined };

/** What is read of a request before its door is asked. */
async function readSent(
  { request, response }: Exchange,
  settings: FrontSettings,
  { door, digest }: Reading,
): Promise<Sent> {
  if ("form" in door)
    return { rawBody: noBody, body: await readForm(request, response, { ...door.form, digest }) };
  if (door.body === undefined) return { rawBody: noBody, body: undefined };
  const rawBody = await readBody(request, response, settings.maxBodyBytes);
  return { rawBody, body: "answer" in door ? readJson(door.body, rawBody) : undefined };
}

type Attended = { readonly door: Door; readonly visit: Visit<unknown> };

async function attend(exchange: Exchange, settings: FrontSettings, { door, visit }: Attended): Promise<void> {
  const { request, response, requestId } = exchange;
  const answer = await ("attend" in door ? door.attend(visit, request, response) : door.answer(visit));
  // It was written piece by piece.
  if (answer === undefined) return;
  // Doors with a price write their answers themselves.
  const cost = { "x-skillboss-cost": "0.000000" };
  const known = await knownOf(exchange, settings);
  sendAnswer(response, requestId, { ...answer, headers: { ...cost, ...known, ...answer.headers } });
}

async function knownOf({ caller }: Exchange, { headersFor }: FrontSettings): Promise<DoorHeaders> {
  return caller === undefined ? {} : headersFor(caller);
}

const noBody = Buffer.alloc(0);
const noQuery: Query = new URLSearchParams();

function find(
  request: IncomingMessage,
  response: ServerResponse,
  router: Guide,
): Matched & { readonly query: Query } {
  const url = request.url ?? "";
  const mark = url.indexOf("?");
  const path = mark === -1 ? url : url.slice(0, mark);
  const matched = router.match(request.method ?? "", path);
  if ("door" in matched)
    return { ...matched, query: mark === -1 ? noQuery : new URLSearchParams(url.slice(mark + 1)) };
  if (matched.allowed.length === 0) throw nothingAt(router.near(request.method ?? "", path));
  response.setHeader("allow", matched.allowed.join(", "));
  throw new Problem("method_not_allowed", { message: `This address takes ${matched.allowed.join(", ")}.` });
}

/** Clients that add what a base URL has, or leave out what it lacks, come here first. */
function nothingAt(near: string | undefined): Problem {
  const hint = near === undefined ? "" : ` Did you mean ${near}?`;
  const message = `${problems.not_found.message}${hint} All addresses are in /openapi.json.`;
  return new Problem("not_found", { message });
}

function readJson(schema: NonNullable<Door["body"]>, rawBody: Buffer): unknown {
  const isEmpty = rawBody.length === 0 && schema.safeParse({}).success;
  return checked(schema, isEmpty ? {} : parseJsonObject(rawBody).value);
}

/** Decides by the door that matched, never by the path again. Only an operator learns that an operator's door is there. */
function admit(
  door: Door,
  request: IncomingMessage,
  settings: FrontSettings,
): Caller | undefined | Promise<Caller> {
  const { authorization } = request.headers;
  switch (door.access) {
    case "open":
      return undefined;
    case "caller":
      return settings.doorkeeper.callerOf(authorization);
    case "operator":
      if (settings.doorkeeper.isOperator(authorization)) return undefined;
      throw authorization === undefined
        ? new Problem("missing_authorization", { message: `Send the operator token ${tokenHint}.` })
        : new Problem("invalid_api_key", {
            message: `This is not the operator token. Send it ${tokenHint}.`,
          });
  }
}

const tokenHint =
  "as `Authorization: Bearer op-…`; it lies in the file `operator-token` of the server's data directory";

function missingCaller(): never {
  throw new Error("this door has no caller");
}

async function fail(exchange: Exchange, settings: FrontSettings, error: unknown): Promise<void> {
  const { request, response, requestId } = exchange;
  const problem = error instanceof Problem ? error : faultOf(error);
  // What became of a run was told when it ended.
  if (problem.status >= 500 && problem.extra["run_id"] === undefined)
    settings.log.error({ request_id: requestId, code: problem.code, cause: problem.cause }, "request failed");
  if (isUnrouted(problem)) exchange.caller = await visitorOf(request, settings);
  const known = await knownOf(exchange, settings);
  const allow = response.getHeader("allow");
  const refusal = { requestId, problem, headers: typeof allow === "string" ? { allow, ...known } : known };
  // What is left of a refused body is not read to its end.
  if (request.complete || response.headersSent) sendProblem(response, refusal);
  else refuseAndClose(request, response, refusal);
}

/**
 * Of a door that does not say what its fault means, as few say of the database's. Whether anything was charged before it
 * is not known here.
 */
function faultOf(cause: unknown): Problem {
  if (cannotWriteNow(cause)) return new Problem("service_unavailable", { retryAfterSeconds: 1, cause });
  return new Problem("internal_error", { message: "Something went wrong on our side.", cause });
}

function isUnrouted({ code }: Problem): boolean {
  return code === "not_found" || code === "method_not_allowed";
}

/** Whoever came with a key is told of limits and balance also where there is no door. */
async function visitorOf(request: IncomingMessage, settings: FrontSettings): Promise<Caller | undefined> {
  try {
    return await settings.doorkeeper.callerOf(request.headers.authorization);
  } catch {
    return undefined;
  }
}
