import { between, fingerprintOf, randomFrom } from "../answers/random.ts";
import { badRequest } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";

/** Addresses whose verification goes on, and how often they were asked for meanwhile. */
const goingOn = new Map<string, number>();
const mostGoingOn = 1_000;
/** So often the answer is that it goes on. */
const asksInVain = 2;

const webmails = new Set(["gmail.com", "outlook.com", "yahoo.com"]);

/**
 * GET /v2/email-verifier. Most addresses are answered at once. Of those that begin with `slow` the first two answers are
 * 202 and the third is the result, of those with `broken` it is 222: the remote server gave no proper answer.
 */
export function verifyEmail({ query }: RunRequest): RunAnswer {
  const email = (query.get("email") ?? "").trim().toLowerCase();
  const [, local = "", domain = ""] = /^([^@\s]+)@([^@\s]+\.[^@\s]+)$/.exec(email) ?? [];
  if (domain === "") throw badRequest("The email parameter is missing or invalid");
  if (local.startsWith("slow") && isStillGoingOn(email)) {
    return json({ data: { email, status: null }, meta: { params: { email } } }, { status: 202 });
  }
  if (local.startsWith("broken")) {
    const details = "The remote SMTP server gave an unexpected response.";
    return json({ errors: [{ id: "verification_failed", code: 222, details }] }, { status: 222 });
  }
  return json({ data: verdictOn(email, domain), meta: { params: { email } } });
}

function isStillGoingOn(email: string): boolean {
  const asked = (goingOn.get(email) ?? 0) + 1;
  if (asked > asksInVain || goingOn.size >= mostGoingOn) {
    goingOn.delete(email);
    return false;
  }
  goingOn.set(email, asked);
  return true;
}

/** Hosts below `.invalid` take no mail; those below `.test` do not tell. */
function verdictOn(email: string, domain: string): Readonly<Record<string, unknown>> {
  const isDead = domain.endsWith(".invalid");
  const isSilent = domain.endsWith(".test");
  const isWebmail = webmails.has(domain);
  const score = isDead ? 0 : between(randomFrom(fingerprintOf(email)), 85, 100);
  return {
    status: statusOf({ isDead, isSilent, isWebmail }),
    score,
    email,
    regexp: true,
    gibberish: false,
    disposable: false,
    webmail: isWebmail,
    mx_records: !isDead,
    smtp_server: !isDead && !isSilent,
    smtp_check: !isDead && !isSilent,
    accept_all: false,
    block: false,
    sources: [],
  };
}

type Found = { readonly isDead: boolean; readonly isSilent: boolean; readonly isWebmail: boolean };

function statusOf({ isDead, isSilent, isWebmail }: Found): string {
  if (isDead) return "invalid";
  if (isSilent) return "unknown";
  return isWebmail ? "webmail" : "valid";
}
