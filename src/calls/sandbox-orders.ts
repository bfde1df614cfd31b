import type { IncomingHttpHeaders } from "node:http";
import type { Caller } from "../core/caller.ts";
import { Problem } from "../core/problems.ts";

/** Headers that order the sandbox to fail, to wait or to answer at length; docs/test-mode.md. */
export type SandboxOrders = Readonly<Record<string, string>>;

const orderPrefix = "x-sandbox-";

type Value = { readonly is: RegExp; readonly want: string };

const number: Value = { is: /^\d{1,9}$/, want: "a whole number" };
const known: ReadonlyMap<string, Value> = new Map([
  [
    "fault",
    {
      is: /^(?:fault-)?(?:[45]\d\d|slow|hang|cut|malformed|error|empty|nousage)$/,
      want: "a status from 400 to 599, slow, hang, cut, malformed, error, empty or nousage",
    },
  ],
  ["pace-ms", number],
  ["delay-ms", number],
  ["tokens", number],
  ["job", { is: /^(?:fail|refused|never)$/, want: "fail, refused or never" }],
  ["job-ms", number],
  ["unknown", number],
  ["poll", { is: /^[45]\d\d$/, want: "a status from 400 to 599" }],
  ["file-ms", number],
]);

/**
 * What the caller orders: nothing in live mode, so that no provider ever sees these headers. What is no order is refused: a
 * test of a failure must not pass because nothing failed.
 */
export function sandboxOrders(headers: IncomingHttpHeaders, { mode }: Caller): SandboxOrders | undefined {
  if (mode !== "test") return undefined;
  let orders: Record<string, string> | undefined;
  for (const name in headers) {
    if (name.startsWith(orderPrefix)) (orders ??= {})[name] = checked(name, headers[name]);
  }
  return orders;
}

function checked(name: string, value: string | readonly string[] | undefined): string {
  const order = known.get(name.slice(orderPrefix.length));
  if (typeof value === "string" && order?.is.test(value) === true) return value;
  const param = name.slice(0, 64);
  const names = Array.from(known.keys(), (each) => orderPrefix + each).join(", ");
  throw new Problem("invalid_request", {
    param,
    message: `${param}: ${order === undefined ? `there is no such order; there are ${names}.` : `want ${order.want}.`}`,
  });
}
