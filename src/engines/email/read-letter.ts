import { isJsonObject } from "../../core/json-object.ts";
import type { Problem } from "../../core/problems.ts";
import type { EngineContext } from "../engine.ts";
import { badInput, InputValues } from "../input-values.ts";
import type { Attachment } from "./attachments.ts";
import { readAttachments } from "./attachments.ts";
import { domainOf, hasControl, readAddress, splitAddresses } from "./mail-address.ts";
import type { MailAddress } from "./mail-address.ts";

export type Letter = {
  readonly from: MailAddress;
  readonly to: readonly MailAddress[];
  readonly cc: readonly MailAddress[];
  readonly bcc: readonly MailAddress[];
  readonly replyTo: readonly MailAddress[];
  readonly subject: string;
  readonly html: string | undefined;
  readonly text: string | undefined;
  readonly attachments: readonly Attachment[];
};

/** Whose name stands in the letters of this server. */
export type Senders = {
  readonly standard: MailAddress;
  /** Domains in lower case whose addresses may send as well. */
  readonly domains: readonly string[];
};

export const maxRecipients = 50;
const maxReplyAddresses = 10;
const maxSubjectChars = 998;
const maxBodyChars = 2_000_000;

/** Checks all of it before the first file is fetched; every refusal is a 400 that names the member: `to[2]`. */
export async function readLetter(context: EngineContext, senders: Senders): Promise<Letter> {
  const inputs = new InputValues(context.inputs);
  const letter = {
    from: senderIn(inputs, senders),
    to: addressesIn(inputs, "to", maxRecipients),
    cc: addressesIn(inputs, "cc", maxRecipients),
    bcc: addressesIn(inputs, "bcc", maxRecipients),
    replyTo: addressesIn(inputs, "reply_to", maxReplyAddresses),
    subject: headerText(inputs, "subject"),
    html: inputs.text("html", maxBodyChars),
    text: inputs.text("text", maxBodyChars),
  };
  if (letter.to.length === 0) throw inputs.refusal("to", "Send at least one address as to.");
  if (recipientsOf(letter).length > maxRecipients)
    throw inputs.refusal("to", `An e-mail has at most ${maxRecipients} recipients: to, cc and bcc together.`);
  if ((letter.html ?? "") === "" && (letter.text ?? "") === "")
    throw inputs.refusal("html", "Send html, text, or both.");
  return { ...letter, attachments: await readAttachments(context, inputs) };
}

/** Each address once, however often it is named. */
export function recipientsOf({ to, cc, bcc }: Pick<Letter, "to" | "cc" | "bcc">): readonly string[] {
  const byKey = new Map([...to, ...cc, ...bcc].map(({ address }) => [address.toLowerCase(), address]));
  return [...byKey.values()];
}

function headerText(inputs: InputValues, name: string): string {
  const value = inputs.text(name, maxSubjectChars);
  if (value === undefined || value.trim() === "") throw inputs.refusal(name, `Send the ${name}.`);
  if (hasControl(value)) throw controlRefusal(inputs.place(name));
  return value;
}

function senderIn(inputs: InputValues, { standard, domains }: Senders): MailAddress {
  const value = inputs.value("from");
  if (value === undefined) return standard;
  const from = addressIn(value, "from");
  const isAllowed =
    from.address.toLowerCase() === standard.address.toLowerCase() || domains.includes(domainOf(from));
  if (isAllowed) return from;
  const others = domains.length === 0 ? "" : `, or an address at ${domains.join(", ")}`;
  throw badInput("from", `E-mail is sent from ${standard.address}${others}. Leave from out, or use that.`);
}

/** A text with one or more addresses, an object, or a list of both. */
function addressesIn(inputs: InputValues, name: string, max: number): readonly MailAddress[] {
  const value = inputs.value(name);
  if (value === undefined) return [];
  if (Array.isArray(value))
    return inputs.list(name, max).map((item, index) => addressIn(item, `${name}[${index}]`));
  if (typeof value !== "string") return [addressIn(value, name)];
  if (hasControl(value)) throw controlRefusal(name);
  const parts = splitAddresses(value);
  if (parts.length > max) throw badInput(name, `${name} has at most ${max} addresses.`);
  return parts.map((part) => addressIn(part, name));
}

/** `{"email": "a@example.com", "name": "A"}` stands for `A <a@example.com>`. */
function addressIn(value: unknown, place: string): MailAddress {
  if (isJsonObject(value)) return addressInObject(new InputValues(value, place), place);
  if (typeof value !== "string") throw badInput(place, `${place} is an e-mail address.`);
  if (hasControl(value)) throw controlRefusal(place);
  const read = readAddress(value);
  if (read === undefined)
    throw badInput(
      place,
      `${place} is no e-mail address such as name@example.com or Name <name@example.com>.`,
    );
  return read;
}

function addressInObject(fields: InputValues, place: string): MailAddress {
  if (fields.has("variables"))
    throw fields.refusal("variables", "This e-mail goes to all recipients alike: it has no variables.");
  const name = fields.text("name", 200) ?? "";
  if (hasControl(name)) throw controlRefusal(fields.place("name"));
  const { address } = addressIn(fields.value("email") ?? fields.value("address"), place);
  return { address, name };
}

function controlRefusal(place: string): Problem {
  return badInput(place, `${place} has a line break or another control character.`);
}
