import { isGiven, isObject } from "./json.ts";
import type { JsonObject } from "./json.ts";
import { Refusal } from "./refusal.ts";

/** What a member of a request must be. Members without a rule may be anything. */
export type FieldRule = {
  readonly is: "text" | "integer" | "number" | "boolean" | "list" | "object";
  readonly isRequired?: true;
  /** Of a number itself, of a text its characters, of a list its items. */
  readonly least?: number;
  readonly most?: number;
  readonly oneOf?: readonly (string | number)[];
};

export type FieldRules = Readonly<Record<string, FieldRule>>;

export type FieldFault = {
  readonly field: string;
  readonly kind: "missing" | "wrong_kind" | "not_allowed" | "too_small" | "too_large";
  readonly rule: FieldRule;
  readonly message: string;
};

/** The first member that breaks its rule, in the order of the rules. Null counts as absent. */
export function faultIn(body: JsonObject, rules: FieldRules): FieldFault | undefined {
  for (const [field, rule] of Object.entries(rules)) {
    const value = body[field];
    const kind = faultOf(value, rule);
    if (kind !== undefined) return { field, kind, rule, message: messageOf(kind, field, rule) };
  }
  return undefined;
}

/** Refuses a request with the first member that breaks its rule: `param` names it, `code` says how. */
export function checkFields(body: JsonObject, rules: FieldRules, status: number): void {
  const fault = faultIn(body, rules);
  if (fault !== undefined) {
    throw new Refusal(status, fault.message, { param: fault.field, code: fault.kind });
  }
}

function faultOf(value: unknown, rule: FieldRule): FieldFault["kind"] | undefined {
  if (!isGiven(value)) return rule.isRequired === true ? "missing" : undefined;
  if (!isOfKind(value, rule.is)) return "wrong_kind";
  const isListed = rule.oneOf === undefined || rule.oneOf.some((one) => one === value);
  if (!isListed) return "not_allowed";
  const size = sizeOf(value);
  if (size < (rule.least ?? -Infinity)) return "too_small";
  return size > (rule.most ?? Infinity) ? "too_large" : undefined;
}

function isOfKind(value: unknown, kind: FieldRule["is"]): boolean {
  switch (kind) {
    case "text":
      return typeof value === "string";
    case "integer":
      return Number.isInteger(value);
    case "list":
      return Array.isArray(value);
    case "object":
      return isObject(value);
    case "number":
    case "boolean":
      return typeof value === kind;
  }
}

function sizeOf(value: unknown): number {
  if (typeof value === "number") return value;
  return typeof value === "string" || Array.isArray(value) ? value.length : 0;
}

function messageOf(kind: FieldFault["kind"], field: string, rule: FieldRule): string {
  switch (kind) {
    case "missing":
      return `'${field}' is required.`;
    case "wrong_kind":
      return `'${field}' must be of the kind ${rule.is}.`;
    case "not_allowed":
      return `'${field}' must be one of ${(rule.oneOf ?? []).join(", ")}.`;
    case "too_small":
      return `'${field}' must be at least ${rule.least}.`;
    case "too_large":
      return `'${field}' must be at most ${rule.most}.`;
  }
}
