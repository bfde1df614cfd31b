import type { z } from "zod";
import { parseJson, scanJsonObject } from "../core/json-object.ts";
import type { ScanFault } from "../core/json-object.ts";
import { Problem } from "../core/problems.ts";
import { readAs } from "./read-as.ts";

/** Deep or crowded documents cost far more than their bytes; no honest request comes near these. */
export const bounds = { maxDepth: 64, maxNodes: 100_000 };
/** At the top of the object. */
const mostMembers = 1_000;

export type Parsed = {
  readonly value: unknown;
  /** Top-level member → its text as sent. */
  readonly raw: ReadonlyMap<string, string>;
};

/** A JSON object with bounded depth and no member twice at its top: what we check is what a provider will read. */
export function parseJsonObject(body: Buffer): Parsed {
  const text = body.toString("utf8");
  if (text.trim() === "")
    throw new Problem("invalid_json", { message: "The body is empty: send a JSON object." });
  const scanned = scanJsonObject(text, bounds);
  if (scanned.fault !== undefined) throw faultOf(scanned, text);
  if (scanned.members.size > mostMembers)
    throw new Problem("invalid_json", { message: `The body has more than ${mostMembers} members.` });
  return { value: parse(text), raw: scanned.members };
}

function parse(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    // The parser's own message quotes the body: it stays out of the answer.
    throw new Problem("invalid_json");
  }
}

function faultOf(scanned: ScanFault, text: string): Problem {
  switch (scanned.fault) {
    case "duplicate":
      return new Problem("invalid_json", {
        message: "A member occurs twice in the body.",
        param: (scanned.key ?? "").slice(0, 64),
      });
    case "too_deep":
      return new Problem("invalid_json", {
        message: `The body is nested deeper than ${bounds.maxDepth} levels.`,
      });
    case "too_many":
      return new Problem("invalid_json", { message: `The body has more than ${bounds.maxNodes} values.` });
    case "not_object":
    case "malformed":
      parse(text);
      return new Problem("invalid_json", { message: "The body is not a JSON object." });
  }
}

/** The schema's output, or `invalid_request` that names the member and what it wants. */
export function checked<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  at: readonly PropertyKey[] = [],
): z.output<Schema> {
  const read = readAs(schema, value);
  if ("data" in read) return read.data;
  const { path, message } = read.fault;
  const param = pathText([...at, ...path]);
  throw new Problem("invalid_request", { message: param === "" ? message : `${param}: ${message}`, param });
}

/** `["messages", 2, "content"]` → `messages[2].content`; foreign names are cut short. */
function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part).slice(0, 64)}`))
    .join("")
    .replace(/^\./, "");
}
