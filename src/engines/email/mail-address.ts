import { domainToASCII } from "node:url";

export type MailAddress = {
  /** `name@example.com`; the domain in lower case and, where it has other letters, in its ASCII form. */
  readonly address: string;
  /** As shown; empty for none. */
  readonly name: string;
};

/** Line breaks and all other characters that could end a header or a command. */
const control = /[\p{Cc}\u2028\u2029]/u;

export function hasControl(text: string): boolean {
  return control.test(text);
}

/**
 * `name@example.com` or `Name <name@example.com>`. Undefined for what no server on the way would surely understand the
 * same way: quoted names before the @, comments, addresses of numbers, names without a dot after the @.
 */
export function readAddress(text: string): MailAddress | undefined {
  if (hasControl(text) || text.length > 500) return undefined;
  const [, name = "", inside = text] = /^([^<>]*)<([^<>]*)>\s*$/.exec(text) ?? [];
  const address = readBareAddress(inside.trim());
  return address === undefined ? undefined : { address, name: unquoted(name.trim()) };
}

/** Display names are encoded when the message is written; here only a pair of quotes around one goes. */
function unquoted(name: string): string {
  const quoted = /^"((?:[^"\\]|\\.)*)"$/.exec(name)?.[1];
  return quoted === undefined ? name : quoted.replaceAll(/\\(.)/g, "$1");
}

const mailboxForm = /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/;
const domainForm =
  /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?=[a-z0-9-]*[a-z])[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

function readBareAddress(text: string): string | undefined {
  const at = text.lastIndexOf("@");
  const mailbox = text.slice(0, Math.max(at, 0));
  const host = domainToASCII(text.slice(at + 1)).toLowerCase();
  const fits = mailbox.length <= 64 && mailbox.length + host.length < 254;
  return fits && mailboxForm.test(mailbox) && domainForm.test(host) ? `${mailbox}@${host}` : undefined;
}

export function domainOf({ address }: MailAddress): string {
  return address.slice(address.lastIndexOf("@") + 1);
}

/** One text with several addresses: cut at commas and semicolons that stand outside of quotes. */
export function splitAddresses(text: string): readonly string[] {
  const parts = [""];
  let isQuoted = false;
  let isEscaped = false;
  for (const char of text) {
    if ((char === "," || char === ";") && !isQuoted) {
      parts.push("");
      continue;
    }
    if (char === '"' && !isEscaped) isQuoted = !isQuoted;
    isEscaped = char === "\\" && isQuoted && !isEscaped;
    parts[parts.length - 1] += char;
  }
  return parts.map((part) => part.trim()).filter((part) => part !== "");
}
