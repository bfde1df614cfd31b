import { Problem } from "../core/problems.ts";

/** What the headers of a form's part say. */
export type FormField = {
  readonly name: string;
  readonly fileName: string | undefined;
  readonly contentType: string | undefined;
};

const identities: ReadonlySet<string> = new Set(["7bit", "8bit", "binary"]);

/** Reads the header lines of a part; throws `invalid_request` for those that are not a form's. */
export function formFieldOf(head: string): FormField {
  const headers = headersIn(head);
  const encoding = headers.get("content-transfer-encoding") ?? "binary";
  if (!identities.has(encoding.toLowerCase())) throw unreadable("content-transfer-encoding is not taken.");
  const parameters = dispositionIn(headers.get("content-disposition") ?? "");
  const name = parameters.get("name");
  if (name === undefined) throw unreadable("a part has no name.");
  return {
    name: unquoted(name),
    fileName: fileNameIn(parameters),
    contentType: headers.get("content-type"),
  };
}

function headersIn(head: string): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (const line of head.split("\r\n")) {
    const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*(.*)$/s.exec(line) ?? [];
    if (name === undefined || value === undefined) throw unreadable("a header of a part is not one.");
    const key = name.toLowerCase();
    if (headers.has(key)) throw unreadable("a header of a part comes twice.");
    headers.set(key, value.trimEnd());
  }
  return headers;
}

/** Name → value, in quotes as it came; in lower case, `filename*` with its star. */
function dispositionIn(value: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  const form = /\s*;\s*([\w-]+\*?)=("(?:[^"\\]|\\.)*"|[^\s;"]*)/sy;
  const kind = /^form-data(?=\s*(?:;|$))/i.exec(value);
  if (kind === null) throw unreadable("a part is no form-data.");
  form.lastIndex = kind[0].length;
  while (form.lastIndex < value.length) {
    const [, name, text] = form.exec(value) ?? [];
    if (name === undefined || text === undefined) throw unreadable("a content-disposition is not valid.");
    const key = name.toLowerCase();
    if (parameters.has(key)) throw unreadable("a content-disposition says something twice.");
    parameters.set(key, text);
  }
  return parameters;
}

/** The plain form is what the standard has; the one with a star is what some clients send for other alphabets. */
function fileNameIn(parameters: ReadonlyMap<string, string>): string | undefined {
  const starred = parameters.get("filename*");
  const plain = parameters.get("filename");
  if (starred === undefined) return plain === undefined ? undefined : unquoted(plain);
  const encoded = /^utf-8'[\w-]*'(.*)$/i.exec(unquoted(starred))?.[1];
  try {
    if (encoded !== undefined) return decodeURIComponent(encoded);
  } catch {
    // Falls to the refusal below.
  }
  throw unreadable("a file name is not valid.");
}

/** Browsers write `"` and line ends as %22, %0D and %0A and leave `\` alone; older tools put `\` before `"` and `\`. */
function unquoted(text: string): string {
  const inner = text.startsWith('"') ? text.slice(1, -1).replaceAll(/\\(["\\])/g, "$1") : text;
  return inner.replaceAll(/%(22|0D|0A)/gi, (escape) => decodeURIComponent(escape));
}

function unreadable(fault: string): Problem {
  return new Problem("invalid_request", { message: `The multipart form cannot be read: ${fault}` });
}
