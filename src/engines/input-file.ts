import { Problem } from "../core/problems.ts";
import type { EngineContext } from "./engine.ts";
import type { InputValues } from "./input-values.ts";
import { orAborted } from "./or-aborted.ts";

export type InputFile = {
  readonly bytes: Buffer;
  /** As a data URL or the server that has it says; empty where nobody said. */
  readonly contentType: string;
};

type Wanted = {
  readonly inputs: InputValues;
  readonly name: string;
  readonly maxBytes: number;
};

export const webStart = /^https?:\/\//i;
export const dataHead = /^data:([^,]{0,200}?);base64,/i;

export function fileForm(place: string): string {
  return `${place} is an http(s) address or a data: URL with base64.`;
}

/** The file that a member names by an http(s) address or holds as a `data:` URL; undefined without the member. */
export async function inputFile(
  context: Pick<EngineContext, "fetchFile" | "signal">,
  wanted: Wanted,
): Promise<InputFile | undefined> {
  const { inputs, name, maxBytes } = wanted;
  const value = inputs.value(name);
  if (value === undefined) return undefined;
  const form = fileForm(inputs.place(name));
  if (typeof value !== "string") throw inputs.refusal(name, form);
  if (webStart.test(value)) return fetchNamed(context, value, wanted);
  const head = dataHead.exec(value);
  if (head === null) throw inputs.refusal(name, form);
  const bytes = decodeBase64(value.slice(head[0].length), maxBytes);
  if (bytes === undefined) throw inputs.refusal(name, form);
  if (bytes === "too_large") throw inputs.refusal(name, tooLarge(inputs.place(name), maxBytes));
  return { bytes, contentType: (head[1] ?? "").toLowerCase() };
}

async function fetchNamed(
  { fetchFile, signal }: Pick<EngineContext, "fetchFile" | "signal">,
  url: string,
  { inputs, name, maxBytes }: Wanted,
): Promise<InputFile> {
  try {
    return await orAborted(fetchFile(url, maxBytes), signal);
  } catch (error) {
    if (!(error instanceof Problem) || error.param !== null || error === signal.reason) throw error;
    // Who fetches knows the address, but not which of the inputs named it.
    const { code, message, extra } = error;
    throw new Problem(code, { message, extra, param: inputs.place(name), cause: error });
  }
}

export function tooLarge(place: string, maxBytes: number): string {
  return `${place} has at most ${Math.floor(maxBytes / 1_000_000)} MB.`;
}

/** Strict, unlike `Buffer.from`, which leaves out what it does not know. White space and missing padding are fine. */
export function decodeBase64(text: string, maxBytes: number): Buffer | "too_large" | undefined {
  const digits = /\s/.test(text) ? text.replaceAll(/\s+/g, "") : text;
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(digits)) return undefined;
  const bytes = Buffer.from(digits, "base64");
  if (bytes.length > maxBytes) return "too_large";
  const significant = digits.replace(/=+$/, "").length;
  return significant % 4 === 1 ? undefined : bytes;
}
