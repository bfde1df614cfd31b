import { isJsonObject, parseJson } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";

declare global {
  // Only an interface can be added to; ECMAScript's "JSON.parse source text access" is not in TypeScript's es2024.
  // oxlint-disable-next-line typescript/consistent-type-definitions
  interface JSON {
    rawJSON(text: string): unknown;
    parse(
      text: string,
      reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
    ): unknown;
  }
}

/** A double keeps 15 decimal digits for sure; shorter numbers need no care. */
const longNumber = /\d{16}/;

/**
 * Reads JSON that will be written again: numbers with more digits than a double holds come out of `JSON.stringify`
 * as they went in. Throws SyntaxError.
 */
export function parseExactly(text: string): unknown {
  if (!longNumber.test(text)) return parseJson(text);
  return JSON.parse(text, (_key, value, { source }) => {
    if (typeof value !== "number" || source === undefined || String(value) === source) return value;
    return JSON.rawJSON(source);
  });
}

/** Undefined when the text is no JSON object. */
export function parseObject(text: string): JsonObject | undefined {
  try {
    const value = parseExactly(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
