import { checkFields } from "../field-rules.ts";
import { isObject, stringOr, stringsIn } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { badRequest, Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";

const mostRecipients = 50;
const address = /^(?:[^<>@\s]+@[^<>@\s]+\.[^<>@\s]+|[^<>]*<[^<>@\s]+@[^<>@\s]+\.[^<>@\s]+>)$/;

/**
 * POST /v2/email/outbound-emails. A sender in a domain that begins with `unverified` is not verified, and recipients at
 * `suppressed@…` are rejected. One charge per recipient; the answer does not tell it.
 */
export function sendEmail(request: RunRequest): RunAnswer {
  const body = request.json();
  checkFields(body, { Content: { is: "object", isRequired: true } }, 400);
  checkContent(isObject(body["Content"]) ? body["Content"] : {});
  const sender = stringOr(body["FromEmailAddress"], "");
  const recipients = recipientsIn(body["Destination"]);
  if (recipients.length === 0) throw badRequest("There is no recipient.");
  if (recipients.length > mostRecipients)
    throw badRequest(`There are more than ${mostRecipients} recipients.`);
  for (const one of [sender, ...recipients]) {
    if (!address.test(one)) throw badRequest("Illegal address");
  }
  if (/@unverified/.test(sender)) {
    throw new Refusal(400, "The identity of the sender is not verified.", {
      code: "MailFromDomainNotVerifiedException",
    });
  }
  if (recipients.some((one) => /(?:^|<)suppressed@/.test(one))) {
    throw new Refusal(400, "A recipient is on the suppression list.", { code: "MessageRejected" });
  }
  return json({ MessageId: messageIdFor(request) });
}

/** One of the three ways to write a message. */
function checkContent({ Simple, Raw, Template }: JsonObject): void {
  const given = [Simple, Raw, Template].filter(isObject);
  if (given.length !== 1) throw badRequest("Content must be one of Simple, Raw and Template.");
  if (isObject(Raw) && stringOr(Raw["Data"], "") === "") throw badRequest("Raw message data is missing.");
  if (!isObject(Simple)) return;
  const { Subject, Body } = Simple;
  if (!isObject(Subject) || typeof Subject["Data"] !== "string") throw badRequest("The subject is missing.");
  const written = isObject(Body) ? [Body["Text"], Body["Html"]].filter(isObject) : [];
  if (written.length === 0) throw badRequest("The body needs a text or HTML.");
  for (const text of [Subject, ...written]) checkCharset(text);
}

function checkCharset({ Data, Charset }: JsonObject): void {
  const isPlain = typeof Data === "string" && /^[\0-\x7f]*$/.test(Data);
  if (!isPlain && typeof Charset !== "string") throw badRequest("Other text than ASCII needs its Charset.");
}

function recipientsIn(destination: unknown): readonly string[] {
  if (!isObject(destination)) return [];
  const { ToAddresses, CcAddresses, BccAddresses } = destination;
  return [ToAddresses, CcAddresses, BccAddresses].flatMap(stringsIn);
}

/** Two equal messages are two messages: the id has the time in it. */
function messageIdFor(request: RunRequest): string {
  const { seed } = request;
  const time = request.now().toString(16).padStart(16, "0");
  return `${time}-${seed.slice(0, 8)}-${seed.slice(8, 12)}-${seed.slice(12, 16)}-${seed.slice(16, 28)}-000000`;
}
