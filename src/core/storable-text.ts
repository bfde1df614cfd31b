import { isJsonObject } from "./json-object.ts";

/** Text with U+FFFD for what no database keeps: PostgreSQL takes no NUL, and half of a surrogate pair is no character. */
export function storable(text: string): string {
  return text.replaceAll("\0", "\ufffd").toWellFormed();
}

/** A copy of a JSON value with storable text, names of members included. */
export function storableJson(value: unknown): unknown {
  if (typeof value === "string") return storable(value);
  if (Array.isArray(value)) return value.map(storableJson);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([member, inner]) => [storable(member), storableJson(inner)]),
  );
}
