/**
 * Structured outputs refuse keywords such as `minimum`. Clients move them into the description in words, for the model to
 * read: Anthropic's own SDKs as `{minimum: 1, maximum: 3}` at its end, this gateway as `Must hold: minimum: 1; maximum: 3`
 * in its last line. A model follows what it reads; so does the emulator.
 */
import { isObject } from "../json.ts";
import type { JsonObject } from "../json.ts";

/** Schemas nested deeper than this are left as they are. */
const mostDepth = 50;

/** Longer ones are no list of limits, and their texts would be more than a regular expression can hold. */
const longestDescription = 100_000;

const forms: readonly { readonly line: RegExp; readonly separator: string }[] = [
  { line: /(?:^|\n)Must hold: ([^\n]+)$/, separator: "; " },
  { line: /(?:^|\n)\{([^\n]+)\}$/, separator: ", " },
];

/** The schema with the limits that its descriptions tell. What the schema itself says goes before them. */
export function withToldLimits(schema: unknown, depth = 0): unknown {
  if (!isObject(schema) || depth > mostDepth) return schema;
  const inner = (value: unknown): unknown => withToldLimits(value, depth + 1);
  const whole: Record<string, unknown> = { ...toldIn(schema["description"]), ...schema };
  for (const name of ["properties", "$defs", "definitions"]) {
    const named = schema[name];
    if (isObject(named)) {
      whole[name] = Object.fromEntries(Object.entries(named).map(([key, value]) => [key, inner(value)]));
    }
  }
  for (const name of ["anyOf", "allOf"]) {
    const branches = schema[name];
    if (Array.isArray(branches)) whole[name] = branches.map(inner);
  }
  if (isObject(schema["items"])) whole["items"] = inner(schema["items"]);
  return whole;
}

function toldIn(description: unknown): JsonObject {
  if (typeof description !== "string" || description.length > longestDescription) return {};
  for (const { line, separator } of forms) {
    const [, rules] = line.exec(description) ?? [];
    if (rules !== undefined) return limitsIn(rules, separator);
  }
  return {};
}

/** `minimum: 1; enum: ["a; b"]` as an object; nothing of it when a part is no keyword with a JSON value. */
function limitsIn(rules: string, separator: string): JsonObject {
  const limits = new Map<string, unknown>();
  for (const rule of partsOf(rules, separator)) {
    const [, keyword, value = ""] = /^([^\s:"]+): (.+)$/s.exec(rule) ?? [];
    if (keyword === undefined) return {};
    try {
      limits.set(keyword, JSON.parse(value));
    } catch {
      return {};
    }
  }
  return Object.fromEntries(limits);
}

/** Cut at separators that are not within a text, a list or an object. */
function partsOf(rules: string, separator: string): readonly string[] {
  const parts: string[] = [];
  let [from, depth] = [0, 0];
  for (const token of rules.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]|[;,] /g)) {
    if (token[0] === "[" || token[0] === "{") depth += 1;
    else if (token[0] === "]" || token[0] === "}") depth -= 1;
    else if (token[0] === separator && depth === 0) {
      parts.push(rules.slice(from, token.index));
      from = token.index + separator.length;
    }
  }
  return [...parts, rules.slice(from)];
}
