import type { FieldFault } from "./field-rules.ts";
import type { Refusal } from "./refusal.ts";

/** What a framework that several providers are built on calls the faults of a member. */
const kinds: Readonly<Record<FieldFault["kind"], { readonly type: string; readonly msg: string }>> = {
  missing: { type: "missing", msg: "Field required" },
  wrong_kind: { type: "type_error", msg: "Input should be of another type" },
  not_allowed: { type: "literal_error", msg: "Input should be one of the allowed values" },
  too_small: { type: "greater_than_equal", msg: "Input should be greater than or equal to the minimum" },
  too_large: { type: "less_than_equal", msg: "Input should be less than or equal to the maximum" },
};

export type ValidationDetail = {
  readonly type: string;
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  readonly input: unknown;
};

/**
 * The list that stands as `detail` in a 422: where and what. A `param` that begins with `query.` lies there, others in the
 * body. Undefined when the refusal is not about a member of the request.
 */
export function detailOf({ param, code, message }: Refusal): readonly ValidationDetail[] | undefined {
  if (code === "bad_json") {
    return [{ type: "json_invalid", loc: ["body", 0], msg: "JSON decode error", input: {} }];
  }
  if (param === undefined) return undefined;
  const { type, msg } = isKind(code) ? kinds[code] : { type: "value_error", msg: message };
  const loc = param.startsWith("query.") ? ["query", param.slice(6)] : ["body", param];
  return [{ type, loc, msg, input: null }];
}

function isKind(code: string | undefined): code is FieldFault["kind"] {
  return code !== undefined && Object.hasOwn(kinds, code);
}
