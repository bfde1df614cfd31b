import type { Expression } from "../../core/endpoint.ts";
import { headerValue, namesOfOurs } from "../upstream-address.ts";
import { compileExpression } from "./expression.ts";
import type { Whereabouts } from "./expression.ts";
import { hasValue, textOf } from "./json-values.ts";
import type { Scope } from "./place.ts";
import { unsendable } from "./unsendable.ts";

const headerName = /^[a-z0-9-]+$/i;
/** Headers by lower-case name, missing ones left out. Throws `Problem` for a value that no header may have. */
export function compileHeaders(
  headers: Readonly<Record<string, Expression>>,
  where: Whereabouts,
): (scope: Scope) => Readonly<Record<string, string>> {
  const compiled = Object.entries(headers).map(([name, value]) => {
    const path = `${where.path}.${name}`;
    if (!headerName.test(name) || isOurs(name.toLowerCase())) {
      where.faults.push({ path, message: `an endpoint may not set the header ${name}` });
    }
    return { name: name.toLowerCase(), ...compileExpression(value, { ...where, path }) };
  });
  return (scope) => {
    const written: Record<string, string> = {};
    for (const { name, evaluate, reads } of compiled) {
      const value = evaluate(scope);
      if (!hasValue(value)) continue;
      const text = textOf(value);
      if (text === undefined || !headerValue.test(text)) throw unsendable(reads, `the header ${name}`);
      written[name] = text.trim();
    }
    return written;
  };
}

/** The kind of the body follows from the body, so an endpoint does not set that either. */
function isOurs(lowerName: string): boolean {
  return lowerName === "content-type" || namesOfOurs.has(lowerName);
}
