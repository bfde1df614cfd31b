import { Refusal } from "../refusal.ts";

/** What a message to a landline is refused with. */
export const noMobile = "21614";

/**
 * Telephone numbers that Twilio itself keeps for tests, with what happens to a message sent there:
 * https://www.twilio.com/docs/iam/test-credentials. All other well-formed numbers take every message.
 */
const refusedRecipients: ReadonlyMap<string, readonly [code: string, message: string]> = new Map([
  ["+15005550001", ["21211", "The 'To' number is not a valid phone number."]],
  ["+15005550002", ["21612", "The 'To' phone number cannot be reached."]],
  ["+15005550003", ["21408", "Permission to send an SMS to this region is not enabled."]],
  ["+15005550004", ["21610", "The recipient has unsubscribed."]],
  ["+15005550009", [noMobile, "The 'To' number cannot receive SMS messages."]],
]);
const refusedSenders: ReadonlyMap<string, readonly [code: string, message: string]> = new Map([
  ["+15005550001", ["21212", "The 'From' number is not a valid phone number."]],
  ["+15005550007", ["21606", "The 'From' phone number is not yours to send from."]],
  ["+15005550008", ["21611", "The queue of the 'From' number is full."]],
]);

const e164 = /^\+[1-9]\d{6,14}$/;

export function checkRecipient(to: unknown): string {
  if (typeof to !== "string" || to === "")
    throw new Refusal(400, "A 'To' phone number is required.", { code: "21604" });
  return checked(to, refusedRecipients, "21211");
}

export function checkSender(from: unknown): string {
  if (typeof from !== "string" || from === "")
    throw new Refusal(400, "A 'From' phone number is required.", { code: "21603" });
  return checked(from, refusedSenders, "21212");
}

export function isPhoneNumber(text: string): boolean {
  return e164.test(text);
}

function checked(
  number: string,
  refused: ReadonlyMap<string, readonly [string, string]>,
  invalid: string,
): string {
  const [code, message] = refused.get(number) ?? [];
  if (code !== undefined && message !== undefined) throw new Refusal(400, message, { code });
  if (!isPhoneNumber(number))
    throw new Refusal(400, `${number} is not a valid phone number.`, { code: invalid });
  return number;
}
