import { fingerprintOf } from "../answers/random.ts";
import { checkFields } from "../field-rules.ts";
import type { FieldRules } from "../field-rules.ts";
import { answeredOnce } from "../idempotent-answers.ts";
import { stringOr } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";

const rules: FieldRules = {
  from: { is: "text", isRequired: true },
  subject: { is: "text", isRequired: true },
  html: { is: "text" },
  text: { is: "text" },
  headers: { is: "object" },
  attachments: { is: "list" },
  tags: { is: "list" },
};
const mostRecipients = 50;
const longestKey = 256;
const address = /^(?:[^<>@\s]+@[^<>@\s]+\.[^<>@\s]+|[^<>]*<[^<>@\s]+@[^<>@\s]+\.[^<>@\s]+>)$/;
const reused = {
  status: 409,
  message: "The same idempotency key was used with a different request payload.",
  code: "invalid_idempotent_request",
};

/** POST /emails. A sender in a domain that begins with `unverified` is not verified. */
export function sendEmail(request: RunRequest): RunAnswer {
  if (request.header("idempotency-key").length > longestKey) {
    throw new Refusal(400, "The key must be between 1-256 chars.", { code: "invalid_idempotency_key" });
  }
  const body = request.json();
  checkFields(body, rules, 422);
  checkPeople(body);
  const parts = [body["html"], body["text"], body["template"]];
  if (parts.every((part) => part === undefined || part === "")) {
    throw new Refusal(422, "Missing `html` or `text` field.", { code: "validation_error" });
  }
  return answeredOnce(request, reused, (seed) => json({ id: uuidOf(fingerprintOf(seed)) })).answer;
}

function checkPeople(body: JsonObject): void {
  const to = listOf(body["to"]);
  if (to.length === 0) throw new Refusal(422, "Missing `to` field.", { code: "missing" });
  if (to.length > mostRecipients) {
    throw new Refusal(422, `The \`to\` field has more than ${mostRecipients} addresses.`, {
      code: "validation_error",
    });
  }
  const { from } = body;
  const sender = stringOr(from, "");
  if (!address.test(sender)) {
    throw new Refusal(422, "Invalid `from` field.", { code: "invalid_from_address" });
  }
  const others = [to, body["cc"], body["bcc"], body["reply_to"]].flatMap(listOf);
  if (others.some((one) => typeof one !== "string" || !address.test(one))) {
    throw new Refusal(422, "Invalid `to` field.", { code: "validation_error" });
  }
  if (/@unverified/.test(sender)) {
    throw new Refusal(403, "The domain of the sender is not verified.", { code: "validation_error" });
  }
}

function listOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === null || value === "") return [];
  return Array.isArray(value) ? value : [value];
}

function uuidOf(digits: string): string {
  const [a, b, c, d] = [digits.slice(0, 8), digits.slice(8, 12), digits.slice(13, 16), digits.slice(17, 20)];
  return `${a}-${b}-4${c}-8${d}-${digits.slice(20, 32)}`;
}
