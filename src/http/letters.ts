import { z } from "zod";
import { Problem } from "../core/problems.ts";

const address = z
  .string()
  .min(3)
  .max(320)
  .regex(/^[^\r\n]*@[^\r\n]*$/, "want an e-mail address");
const value = z.union([z.string(), z.number(), z.boolean()]);
const receiver = z.union([
  address,
  z.looseObject({ email: address, variables: z.record(z.string(), value).nullish() }),
]);
const addresses = z.union([address.transform((one) => [one]), z.array(address).max(10)]);

/** A message as clients write it, in either set of names. */
export const letter = z.looseObject({
  title: z.string().min(1).max(998).nullish().describe("The subject, also as `subject`."),
  subject: z.string().min(1).max(998).nullish(),
  body_html: z.string().min(1).nullish().describe("The message as HTML, also as `html`."),
  html: z.string().min(1).nullish(),
  body_text: z.string().min(1).nullish().describe("The message as text, also as `text` or `body`."),
  text: z.string().min(1).nullish(),
  body: z.string().min(1).nullish(),
  receivers: z
    .union([receiver.transform((one) => [one]), z.array(receiver).min(1)])
    .nullish()
    .describe("Addresses, or objects with `email` and `variables` for {{name}} in the title and the body."),
  to: z.union([receiver.transform((one) => [one]), z.array(receiver).min(1)]).nullish(),
  reply_to: addresses.nullish().describe("Where answers go."),
  from: address.nullish().describe("The sender, where the operator allows another."),
});

type Letter = z.output<typeof letter>;

/** A message to those who get it together. */
export type Message = {
  readonly to: readonly string[];
  readonly subject: string;
  readonly html: string | undefined;
  readonly text: string | undefined;
  readonly replyTo: readonly string[] | undefined;
  readonly from: string | undefined;
};

type Receiver = z.output<typeof receiver>;
type Variables = Readonly<Record<string, string | number | boolean>>;

/** The letter once for each of its receivers, with what stands for them. Throws before anybody gets anything. */
export function messagesOf(given: Letter): readonly Message[] {
  return receiversOf(given).map((one) => {
    const email = typeof one === "string" ? one : one.email;
    const variables = typeof one === "string" ? undefined : (one.variables ?? undefined);
    return messageTo([email], given, variables === undefined ? undefined : { email, ...variables });
  });
}

/** The letter as one message to all; undefined when it says something else to each. */
export function jointMessageOf(given: Letter): Message | undefined {
  const receivers = receiversOf(given);
  const isPersonal = receivers.some((one) => typeof one !== "string" && one.variables);
  if (isPersonal) return undefined;
  return messageTo(
    receivers.map((one) => (typeof one === "string" ? one : one.email)),
    given,
    undefined,
  );
}

function receiversOf({ receivers, to }: Letter): readonly Receiver[] {
  return receivers ?? to ?? refused("receivers", "is required");
}

type Content = Pick<Message, "subject" | "html" | "text">;

function contentOf(given: Letter): Content {
  const subject = given.title ?? given.subject ?? refused("title", "is required");
  const html = given.body_html ?? given.html ?? undefined;
  const text = given.body_text ?? given.text ?? given.body ?? undefined;
  return html === undefined && text === undefined
    ? refused("body_html", "is required")
    : { subject, html, text };
}

function messageTo(to: readonly string[], given: Letter, variables: Variables | undefined): Message {
  const { subject, html, text } = contentOf(given);
  return {
    to,
    subject: filled(subject, variables, asOneLine),
    html: html === undefined ? undefined : filled(html, variables, asHtml),
    text: text === undefined ? undefined : filled(text, variables, String),
    replyTo: given.reply_to ?? undefined,
    from: given.from ?? undefined,
  };
}

const placeholder = /\{\{\s*([\w.-]{1,64})\s*\}\}/g;

/** A name that a receiver has no value for is a mistake; without variables, braces are text like any other. */
function filled(text: string, variables: Variables | undefined, write: (value: string) => string): string {
  if (variables === undefined) return text;
  return text.replaceAll(placeholder, (_, name: string) => {
    const known = Object.hasOwn(variables, name) ? variables[name] : undefined;
    if (known === undefined)
      return refused("receivers", `{{${name}}} has no value for ${String(variables["email"])}`);
    return write(String(known));
  });
}

function asOneLine(text: string): string {
  return text.replaceAll(/\s*[\r\n]+\s*/g, " ");
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** A receiver's name is no markup. */
function asHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (one) => entities[one] ?? one);
}

function refused(param: string, fault: string): never {
  throw new Problem("invalid_request", { param, message: `${param}: ${fault}.` });
}
