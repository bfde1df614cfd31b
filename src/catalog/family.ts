import { z } from "zod";

/**
 * Many models that differ in a few facts: one template and a row for each. `{"$row": "path"}` is replaced by the row's
 * member of that name and left out where the row has none; `{row.name}` within a text by that member's text.
 */
export const familyFile = z.strictObject({
  family: z.string().regex(/^[a-z][a-z0-9-]*$/, "want lower-case letters, digits and dashes"),
  model: z.record(z.string(), z.json()),
  rows: z.array(z.record(z.string(), z.json())).min(1),
});

export type FamilyFacts = z.output<typeof familyFile>;
type Json = z.output<ReturnType<typeof z.json>>;
type Row = Readonly<Record<string, Json>>;

/** What the row's model file would say. Throws for a text that names a member which the row does not have. */
export function modelOfRow({ model }: FamilyFacts, row: Row): unknown {
  return filled(model, row);
}

function filled(value: Json, row: Row): Json | undefined {
  if (typeof value === "string") return filledText(value, row);
  if (Array.isArray(value)) return value.flatMap((item) => filled(item, row) ?? []);
  if (typeof value !== "object" || value === null) return value;
  const member = value["$row"];
  if (typeof member === "string") return row[member];
  const members = Object.entries(value).flatMap(([name, inner]) => {
    const read = filled(inner, row);
    return read === undefined ? [] : [[name, read] as const];
  });
  return Object.fromEntries(members);
}

function filledText(text: string, row: Row): string {
  return text.replaceAll(/\{row\.([a-z0-9_]+)\}/g, (_, name: string) => {
    const value = row[name];
    if (typeof value !== "string" && typeof value !== "number")
      throw new Error(`the row has no text for {row.${name}}`);
    return String(value);
  });
}
