import type { EndpointErrors, RunFaultKind } from "../../core/endpoint.ts";
import { isJsonObject } from "../../core/json-object.ts";
import { foreignText, shapeOf } from "../foreign-text.ts";
import { retryAfterSeconds } from "../retry-after.ts";
import type { UpstreamHeaders } from "../wire.ts";
import { compileExpression } from "./expression.ts";
import type { Whereabouts } from "./expression.ts";
import { hasValue, holds, jsonText, textOf } from "./json-values.ts";
import { missing } from "./place.ts";
import type { Evaluate, Scope } from "./place.ts";
import type { ToldAnswer } from "./read-answer.ts";
import type { RunFault } from "./run-wire.ts";

export type CompiledErrors = {
  readonly when: Evaluate;
  readonly message: Evaluate;
  readonly code: Evaluate;
  readonly codes: ReadonlyMap<string, RunFaultKind>;
  /** In lower case. */
  readonly words: ReadonlyMap<string, RunFaultKind>;
};

export function compileErrors(errors: EndpointErrors, where: Whereabouts): CompiledErrors {
  const member = (name: "when" | "message" | "code"): Evaluate => {
    const expression = errors[name];
    if (expression === undefined) return missing;
    return compileExpression(expression, { ...where, path: `${where.path}.${name}` }).evaluate;
  };
  return {
    when: member("when"),
    message: member("message"),
    code: member("code"),
    codes: new Map(Object.entries(errors.codes)),
    words: new Map(Object.entries(errors.words).map(([words, kind]) => [words.toLowerCase(), kind])),
  };
}

/** An answer and the scope in which it is `res`. */
export type Heard = { readonly told: ToldAnswer; readonly scope: Scope };

/** Why the answer is no result: by its status, its body, or because it says so itself. Undefined when it may be one. */
export function refusalIn(errors: CompiledErrors, { told, scope }: Heard): RunFault | undefined {
  if (!hasOkStatus(told)) return faultOf(errors, { told, scope }, { kind: kindOfStatus(told.status) });
  if (told.unreadable !== undefined) return unreadableFault(told.status, told.unreadable);
  return holds(errors.when(scope)) ? faultOf(errors, { told, scope }, { kind: "failed" }) : undefined;
}

function hasOkStatus({ status }: ToldAnswer): boolean {
  return status >= 200 && status < 300;
}

/** An answer that can be read and claims no failure by its status. */
export function isOk(told: ToldAnswer): boolean {
  return hasOkStatus(told) && told.unreadable === undefined;
}

/** What the fault is unless its code says otherwise, and what is said of it where that is not in `errors.message`. */
type Meaning = { readonly kind: RunFaultKind; readonly said?: unknown };

export function faultOf(errors: CompiledErrors, { told, scope }: Heard, meaning: Meaning): RunFault {
  const code = textOf(errors.code(scope));
  const message = sayingOf(meaning.said ?? errors.message(scope));
  const said = message ?? told.unreadable ?? shapeOfBody(told.res);
  const byCode = code === undefined ? undefined : kindOfCode(code, errors);
  return {
    kind: byCode ?? kindOfWords(message, meaning.kind, errors) ?? meaning.kind,
    status: told.status,
    detail: foreignText([String(told.status), code, said].filter(hasValue).join(" ")),
    code: code === undefined || code === "" ? undefined : foreignText(code),
    retryAfterSeconds: waitToldIn(told),
  };
}

/** By the code itself, else by the group that it belongs to: `SAFETY.*` for `SAFETY.INPUT.TEXT`. */
function kindOfCode(code: string, { codes }: CompiledErrors): RunFaultKind | undefined {
  const group = [...codes].find(([name]) => name.endsWith(".*") && code.startsWith(name.slice(0, -1)));
  return codes.get(code) ?? group?.[1];
}

/** A provider that is busy, or does not know us, has not looked at what it was asked for. */
function kindOfWords(
  message: string | undefined,
  kind: RunFaultKind,
  { words }: CompiledErrors,
): RunFaultKind | undefined {
  if (message === undefined || (kind !== "rejected" && kind !== "failed")) return undefined;
  const text = message.toLowerCase();
  return [...words].find(([some]) => text.includes(some))?.[1];
}

export function unreadableFault(status: number, detail: string): RunFault {
  return {
    kind: "unreadable",
    status,
    detail: foreignText(detail),
    code: undefined,
    retryAfterSeconds: undefined,
  };
}

/** How long the provider asks to be left alone. */
export function waitToldIn({ headers, res }: ToldAnswer): number | undefined {
  const error = isJsonObject(res) ? res["error"] : undefined;
  const told: UpstreamHeaders = Object.fromEntries(
    ["retry-after", "retry-after-ms", "date"].map((name) => [name, textOf(headers[name])]),
  );
  return retryAfterSeconds(told, isJsonObject(error) ? error["details"] : undefined);
}

/** A body may be an answer, or repeat the inputs: no log holds more of it than the message in it. */
function shapeOfBody(res: unknown): string | undefined {
  return res === undefined ? undefined : shapeOf(textOf(res) ?? jsonText(res) ?? "");
}

const mostSaid = 2_000;

function sayingOf(said: unknown): string | undefined {
  return (textOf(said) ?? jsonText(said))?.slice(0, mostSaid);
}

const rejected: readonly number[] = [400, 404, 413, 415, 422, 451];
const refused: readonly number[] = [401, 402, 403];
const busy: readonly number[] = [408, 409, 425, 429];

function kindOfStatus(status: number): RunFaultKind {
  if (rejected.includes(status)) return "rejected";
  if (refused.includes(status)) return "credential";
  return busy.includes(status) ? "busy" : "unavailable";
}
