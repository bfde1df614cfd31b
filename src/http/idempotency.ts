import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type {
  Claim,
  Claimed,
  ClaimWish,
  KeptAnswer,
  KeptAnswers,
} from "../calls/idempotency/kept-answers.ts";
import type { Caller } from "../core/caller.ts";
import { formatCredits } from "../core/credits.ts";
import { Problem } from "../core/problems.ts";
import type { ContentDigest } from "./content-digest.ts";
import type { Door, DoorHeaders, Visit } from "./door.ts";
import { keptOf, mostKeptBytes, sendKept } from "./kept-form.ts";
import { recordAnswer } from "./recorded-answer.ts";
import type { RecordedAnswer } from "./recorded-answer.ts";

/** A POST with an Idempotency-Key, let in and read. */
export type KeyedRequest = {
  readonly key: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  /** Undefined: the operator. */
  readonly caller: Caller | undefined;
  readonly rawBody: Buffer;
  /** Of a form, or of what the door reads itself. */
  readonly digest: ContentDigest;
  /** Has the door read what was sent, for the digest alone; undefined where it reads nothing itself. */
  readonly readOver: (() => Promise<void>) | undefined;
  /** What the caller is told about limits and balance. */
  readonly known: () => Promise<DoorHeaders>;
};

/** What a visit knows of an earlier one with the same Idempotency-Key. */
export type Earlier = { readonly earlierRun?: string };

const headerName = "idempotency-key";
const longestKey = 255;
const longestPath = 500;

/** A grant's own id follows from the key, and the ledger takes an id once: asking again is answered at once and for ever. */
const doorsOfTheirOwn: ReadonlySet<string> = new Set(["/admin/v1/accounts/{id}/credits"]);

export function takesIdempotencyKey({ method, access }: Door): boolean {
  return method === "POST" && access !== "open";
}

/** The key of a request that is to be done once. Undefined: it has none, or what it asks for needs none. */
export function idempotencyKeyOf(door: Door, request: IncomingMessage): string | undefined {
  const key = request.headers[headerName];
  if (key === undefined || !takesIdempotencyKey(door)) return undefined;
  if (doorsOfTheirOwn.has(door.path)) return undefined;
  if (typeof key === "string" && key.length <= longestKey && /^[\x20-\x7e]+$/.test(key)) return key;
  throw new Problem("invalid_request", {
    param: "Idempotency-Key",
    message: `Idempotency-Key: want 1 to ${longestKey} printable ASCII characters.`,
  });
}

/**
 * The run that an earlier request with this Idempotency-Key began, and whose answer it never gave. The run is over: the
 * door answers from its row, as the earlier request would have, and begins nothing.
 */
export function earlierRunOf(visit: Visit<unknown>): string | undefined {
  return "earlierRun" in visit && typeof visit.earlierRun === "string" ? visit.earlierRun : undefined;
}

/**
 * Does what was asked once, however often it is asked. `attend` is the door; its answer is recorded on its way out, and
 * its end is sent when the answer is kept or the key is free again, so that whoever has seen the end may ask again.
 */
export async function serveOnce(
  keyed: KeyedRequest,
  answers: KeptAnswers,
  attend: (earlier: Earlier) => Promise<void>,
): Promise<void> {
  const claimed = await answers.claim(wishOf(keyed));
  switch (claimed.state) {
    case "claimed":
      return attendClaimed(keyed, { answers, claim: claimed.claim }, () => attend({}));
    case "begun":
      keyed.response.setHeader("idempotent-replayed", "true");
      return attendClaimed(keyed, { answers, claim: claimed.claim }, () =>
        attend({ earlierRun: claimed.runId }),
      );
    case "answered":
      await compareContent(keyed, claimed.answer);
      return repeat(keyed, claimed);
    case "charged":
      return repeat(keyed, claimed);
    case "running":
      throw new Problem("conflict", { retryAfterSeconds: 1 });
    case "reused":
      throw new Problem("idempotency_key_reused");
  }
}

function wishOf({ key, request, requestId, caller, rawBody, digest }: KeyedRequest): ClaimWish {
  const { url = "", headers } = request;
  const who = caller === undefined ? "operator" : `${caller.accountId} ${caller.mode}`;
  const [path = ""] = url.split("?");
  const type = headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  return {
    scope: `${who} POST ${path.slice(0, longestPath)}`,
    key,
    requestId,
    callId: requestId.replace("req_", "call_"),
    bodyHash: createHash("sha256")
      .update(JSON.stringify([url, type, headers["x-file-name"]]))
      .update(rawBody)
      .update(digest.value())
      .digest(),
  };
}

type Claiming = { readonly answers: KeptAnswers; readonly claim: Claim };

async function attendClaimed(
  { response, digest, readOver }: KeyedRequest,
  { answers, claim }: Claiming,
  attend: () => Promise<void>,
): Promise<void> {
  let ended: Promise<void> | undefined;
  const end = (answer: KeptAnswer | undefined): Promise<void> => (ended ??= answers.end(claim, answer));
  let keepsFailure = false;
  recordAnswer(response, mostKeptBytes, (answer) => {
    const isKept = keepsFailure || (isSuccess(answer) && !isForNobody(answer, response));
    const content = readOver === undefined ? {} : { contentHash: digest.value() };
    return end(isKept ? { ...keptOf(answer), ...content } : undefined);
  });
  try {
    await attend();
  } catch (error) {
    // The front writes it as an answer, which is recorded. Nobody may do again what perhaps was done.
    keepsFailure = error instanceof Problem && error.code === "outcome_unknown";
    if (!keepsFailure) await end(undefined);
    throw error;
  }
  // Nothing was written to a client that has gone.
  await end(undefined);
}

function isSuccess({ status }: RecordedAnswer): boolean {
  return status >= 200 && status < 300;
}

/** Told to come back for a run only because the client did not wait: when it asks again it gets the run's result. */
function isForNobody({ status }: RecordedAnswer, response: ServerResponse): boolean {
  return status === 202 && response.destroyed;
}

/** What an upload brings is known only when it has been read to its end. */
async function compareContent(
  { digest, readOver }: KeyedRequest,
  { contentHash }: KeptAnswer,
): Promise<void> {
  if (contentHash === undefined || readOver === undefined) return;
  await readOver();
  if (!digest.value().equals(contentHash)) throw new Problem("idempotency_key_reused");
}

type Done = Extract<Claimed, { state: "answered" | "charged" }>;

async function repeat({ response, requestId, known }: KeyedRequest, earlier: Done): Promise<void> {
  if (earlier.state === "charged") {
    throw notKept(earlier.callId, `charged ${formatCredits(earlier.cost)} credits`);
  }
  const { status, headers, body } = earlier.answer;
  if (body === undefined) throw notKept(earlier.callId, "carried out");
  sendKept(response, { requestId, status, headers, body, known: await known() });
}

function notKept(callId: string, fate: string): Problem {
  return new Problem("answer_not_kept", {
    message: `The first request with this Idempotency-Key was ${fate}, and its answer was not kept.`,
    extra: { first_request_id: callId.replace("call_", "req_") },
  });
}
