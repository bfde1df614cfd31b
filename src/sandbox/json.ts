/** A JSON object as it came over the wire: nothing is known about its members. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The objects of an array; anything else counts as no objects. */
export function objectsIn(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** The strings of an array; anything else counts as no strings. */
export function stringsIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

export function stringOr(value: unknown, otherwise: string): string {
  return typeof value === "string" ? value : otherwise;
}

/** Null and absent are the same on both wires. */
export function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** A number, or what a text such as `5`, `8s` begins with; undefined for anything else. */
export function numberIn(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  const read = typeof value === "string" ? Number.parseFloat(value) : Number.NaN;
  return Number.isNaN(read) ? undefined : read;
}
