import { z } from "zod";

const familyName = z.string().regex(/^[a-z][a-z0-9-]*$/, "want lower-case letters, digits and dashes");

type Json = z.output<ReturnType<typeof z.json>>;

/** What stands in a file is JSON already, and is not walked through once more. */
const member = z.custom<Json>((value) => value !== undefined);

/**
 * Many models that differ in a few facts: one template and a row for each. `{"$row": "path"}` is replaced by the row's
 * member of that name and left out where the row has none; `{row.name}` within a text by that member's text. What holds
 * nothing of a row is the same object in all models of the family. `defaults` are members of rows that have none, and may
 * name others of the row. A family that `extends` another has its template and defaults, and may say parts of either anew.
 */
export const familyFile = z.strictObject({
  $schema: z.string().optional(),
  family: familyName,
  extends: familyName.optional(),
  model: z.record(z.string(), member).optional(),
  defaults: z.record(z.string(), member).default({}),
  rows: z.array(z.custom<Row>(isRow, "want an object")).min(1),
});

export type FamilyFacts = z.output<typeof familyFile>;
type Row = Readonly<Record<string, Json>>;
type Filler = (row: Row) => Json | undefined;

function isRow(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export type Template = Pick<FamilyFacts, "defaults"> & { readonly model: Readonly<Record<string, Json>> };

/** What a family is filled into; a text where there is nothing. `find` knows the families that may be extended. */
export function templateIn(
  { family, extends: other, model, defaults }: FamilyFacts,
  find: (name: string) => FamilyFacts | undefined,
): Template | string {
  if (other === undefined)
    return model === undefined ? "want a model, or the family it extends" : { model, defaults };
  const base = find(other);
  if (base === undefined || other === family) return `there is no family ${other} to extend`;
  if (base.extends !== undefined || base.model === undefined) return `${other} extends a family itself`;
  return { model: { ...base.model, ...model }, defaults: { ...base.defaults, ...defaults } };
}

/**
 * The template, read once. What is returned makes of a row what its model file would say, and throws for a text that names
 * a member which the row does not have.
 */
export function modelsFrom({ model, defaults }: Template): (row: Row) => unknown {
  const fill = fillerOf(model) ?? (() => model);
  const known = Object.entries(defaults).map(([name, value]) => ({ name, value, fill: fillerOf(value) }));
  return (row) => {
    const missing = known.filter(({ name }) => row[name] === undefined);
    if (missing.length === 0) return fill(row);
    const added = missing.map(
      (one) => [one.name, one.fill === undefined ? one.value : one.fill(row)] as const,
    );
    const whole = added.filter((member): member is [string, Json] => member[1] !== undefined);
    return fill({ ...Object.fromEntries(whole), ...row });
  };
}

/** Undefined where nothing of a row is needed. */
function fillerOf(value: Json): Filler | undefined {
  if (typeof value === "string") return textFillerOf(value);
  if (Array.isArray(value)) return listFillerOf(value);
  if (typeof value !== "object" || value === null) return undefined;
  const member = value["$row"];
  return typeof member === "string" ? (row) => row[member] : objectFillerOf(value);
}

function listFillerOf(list: readonly Json[]): Filler | undefined {
  const fillers = list.map(fillerOf);
  if (fillers.every((fill) => fill === undefined)) return undefined;
  return (row) =>
    list.flatMap((item, index) => {
      const fill = fillers[index];
      const read = fill === undefined ? item : fill(row);
      return read === undefined ? [] : [read];
    });
}

function objectFillerOf(object: Readonly<Record<string, Json>>): Filler | undefined {
  const members = Object.entries(object).map(([name, value]) => ({ name, value, fill: fillerOf(value) }));
  if (members.every(({ fill }) => fill === undefined)) return undefined;
  return (row) => {
    const filled = members.map(
      ({ name, value, fill }) => [name, fill === undefined ? value : fill(row)] as const,
    );
    return Object.fromEntries(filled.filter((member): member is [string, Json] => member[1] !== undefined));
  };
}

const placeholder = /\{row\.([a-z0-9_]+)\}/g;

function textFillerOf(text: string): Filler | undefined {
  if (!text.includes("{row.")) return undefined;
  return (row) =>
    text.replaceAll(placeholder, (_, name: string) => {
      const value = row[name];
      if (typeof value !== "string" && typeof value !== "number")
        throw new Error(`the row has no text for {row.${name}}`);
      return String(value);
    });
}
