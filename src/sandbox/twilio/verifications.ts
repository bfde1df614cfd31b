import { fingerprintOf } from "../answers/random.ts";
import { stringOr } from "../json.ts";
import { Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { checkRecipient, isPhoneNumber, noMobile } from "./numbers.ts";

const channels: readonly string[] = ["sms", "call", "whatsapp", "email"];
/** The code that every verification is approved with; nothing is kept of the numbers it was sent to. */
export const rightCode = "123456";
/** Nothing was ever sent to this number. */
const unknownNumber = "+15005550006";

/** POST /v2/Services/{service}/Verifications: 201, pending. */
export function startVerification(request: RunRequest): RunAnswer {
  const form = request.form();
  const channel = stringOr(form["Channel"], "");
  if (!channels.includes(channel)) throw new Refusal(400, "Invalid parameter `Channel`", { code: "60200" });
  const to = channel === "email" ? stringOr(form["To"], "") : recipientIn(form["To"]);
  const found = verification(request, to);
  const attempt = { attempt_sid: `VL${found.sid.slice(2)}`, channel, time: found.date_created };
  const told = {
    ...found,
    channel,
    status: "pending",
    valid: false,
    lookup: {},
    send_code_attempts: [attempt],
  };
  return json(told, { status: 201 });
}

/** POST /v2/Services/{service}/VerificationCheck: a wrong code leaves it pending. */
export function checkVerification(request: RunRequest): RunAnswer {
  const form = request.form();
  const code = stringOr(form["Code"], "");
  if (!/^[0-9a-z]{4,10}$/i.test(code)) throw new Refusal(400, "Invalid parameter: Code", { code: "60200" });
  const to = stringOr(form["To"], "");
  if (to === unknownNumber || !isPhoneNumber(to)) {
    throw new Refusal(404, `The requested resource ${request.path} was not found`, { code: "20404" });
  }
  const isRight = code === rightCode;
  return json({
    ...verification(request, to),
    channel: "sms",
    status: isRight ? "approved" : "pending",
    valid: isRight,
    sna_attempts_error_codes: [],
  });
}

function recipientIn(to: unknown): string {
  try {
    return checkRecipient(to);
  } catch (reason) {
    if (reason instanceof Refusal && reason.code === noMobile)
      throw new Refusal(403, "SMS is not supported by landline phone number", { code: "60205" });
    // For every other number that it does not take Verify has one code.
    if (reason instanceof Refusal) throw new Refusal(400, "Invalid parameter `To`", { code: "60200" });
    throw reason;
  }
}

function verification(request: RunRequest, to: string) {
  const service = request.in("service");
  if (!/^VA[0-9a-z]{32}$/i.test(service)) {
    throw new Refusal(404, `The requested resource /Services/${service} was not found`);
  }
  const seed = fingerprintOf(`${service} ${to}`);
  const sid = `VE${seed.slice(0, 32)}`;
  const time = new Date(request.now()).toISOString().replace(/\.\d+Z$/, "Z");
  return {
    sid,
    service_sid: service,
    account_sid: `AC${fingerprintOf(service).slice(0, 32)}`,
    to,
    amount: null,
    payee: null,
    date_created: time,
    date_updated: time,
    url: `https://verify.twilio.com/v2/Services/${service}/Verifications/${sid}`,
  };
}
