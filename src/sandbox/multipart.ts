import { badRequest } from "./refusal.ts";

export type FormPart = {
  readonly name: string;
  /** Undefined for a plain field. */
  readonly filename: string | undefined;
  readonly type: string;
  readonly bytes: Buffer;
};

const mostParts = 1_000;
const headEnd = Buffer.from("\r\n\r\n");

/** The parts of a multipart/form-data body in their order; a 400 when it is none. */
export function partsIn(body: Buffer, contentType: string): readonly FormPart[] {
  const [, quoted, bare] = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType) ?? [];
  const boundary = quoted ?? bare;
  if (!/^multipart\/form-data/i.test(contentType) || boundary === undefined) {
    throw badRequest("The body is not multipart/form-data.");
  }
  const mark = Buffer.from(`--${boundary}`);
  const found: FormPart[] = [];
  let at = body.indexOf(mark);
  while (at !== -1 && found.length < mostParts) {
    const start = at + mark.length;
    const next = body.indexOf(mark, start);
    if (next === -1) break;
    const part = partIn(body.subarray(start + 2, next - 2));
    if (part !== undefined) found.push(part);
    at = next;
  }
  if (found.length === 0) throw badRequest("The multipart body has no parts.");
  return found;
}

function partIn(bytes: Buffer): FormPart | undefined {
  const end = bytes.indexOf(headEnd);
  if (end === -1) return undefined;
  const head = bytes.subarray(0, end).toString("utf8");
  const name = parameterIn(head, "name");
  if (name === undefined) return undefined;
  return {
    name,
    filename: parameterIn(head, "filename"),
    type: /^content-type: *([^\r\n]+)/im.exec(head)?.[1] ?? "text/plain",
    bytes: bytes.subarray(end + headEnd.length),
  };
}

function parameterIn(head: string, name: string): string | undefined {
  const [, quoted, bare] = new RegExp(`[;\\s]${name}=(?:"([^"]*)"|([^;\\r\\n]+))`, "i").exec(head) ?? [];
  return quoted ?? bare;
}
