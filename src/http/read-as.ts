import { z } from "zod";
import type { JsonObject } from "../core/json-object.ts";
import { membersAt, wantedAt } from "../core/wanted.ts";

/** A value as its schema has it, or its first fault. */
export type ReadAs<Output> = { readonly data: Output } | { readonly fault: SchemaFault };

export type SchemaFault = { readonly path: readonly PropertyKey[]; readonly message: string };

/**
 * The fault is told in the words that the schema has for it, otherwise in ours: those of the library are for developers
 * and name its types.
 */
export function readAs<Schema extends z.ZodType>(schema: Schema, value: unknown): ReadAs<z.output<Schema>> {
  const read = schema.safeParse(value, { error: () => "" });
  if (read.success) return { data: read.data };
  const { path, message, isUnknown } = deepest(read.error.issues);
  if (message !== "") return { fault: { path, message } };
  const spot = { path, value };
  if (!isUnknown) return { fault: { path, message: wantedAt(jsonSchemaOf(schema), spot) } };
  const known = membersAt(jsonSchemaOf(schema), { path: path.slice(0, -1), value });
  return { fault: { path, message: `there is no such member; known are ${known.join(", ")}` } };
}

const jsonSchemas = new WeakMap<z.ZodType, JsonObject>();

function jsonSchemaOf(schema: z.ZodType): JsonObject {
  const known = jsonSchemas.get(schema);
  if (known !== undefined) return known;
  const made: JsonObject = { ...z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) };
  jsonSchemas.set(schema, made);
  return made;
}

type Issue = z.core.$ZodIssue;
type Deepest = SchemaFault & { readonly isUnknown: boolean };

/** Of a union's failures the one that got furthest tells the most. */
function deepest(issues: readonly Issue[]): Deepest {
  const [issue] = issues;
  if (issue === undefined) return { path: [], message: "is not valid", isUnknown: false };
  if (issue.code === "unrecognized_keys")
    return { path: [...issue.path, issue.keys[0] ?? ""], message: "", isUnknown: true };
  if (issue.code === "invalid_key")
    return { path: issue.path, message: issue.issues[0]?.message ?? "", isUnknown: false };
  if (issue.code !== "invalid_union" || issue.errors.length === 0)
    return { path: issue.path, message: issue.message, isUnknown: false };
  const inner = issue.errors
    .map((branch) => deepest(branch))
    .toSorted((a, b) => b.path.length - a.path.length)[0];
  if (inner !== undefined && inner.path.length > 0) return { ...inner, path: [...issue.path, ...inner.path] };
  const told = issue.errors.map((branch) => branch[0]?.message ?? "").filter((message) => message !== "");
  return { path: issue.path, message: [...new Set(told)].join("; or "), isUnknown: false };
}
