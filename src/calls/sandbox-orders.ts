import type { IncomingHttpHeaders } from "node:http";
import type { Caller } from "../core/caller.ts";

/** Headers that order the sandbox to fail, to wait or to answer at length; docs/test-mode.md. */
export type SandboxOrders = Readonly<Record<string, string>>;

const orderName = /^x-sandbox-[a-z-]{1,16}$/;
const orderValue = /^[a-z0-9-]{1,32}$/;

/** What the caller orders: nothing in live mode, so that no provider ever sees these headers. */
export function sandboxOrders(headers: IncomingHttpHeaders, { mode }: Caller): SandboxOrders | undefined {
  if (mode !== "test") return undefined;
  let orders: Record<string, string> | undefined;
  for (const [name, value] of Object.entries(headers)) {
    const isOrder = orderName.test(name) && typeof value === "string" && orderValue.test(value);
    if (isOrder) (orders ??= {})[name] = value;
  }
  return orders;
}
