import { nearNames } from "../catalog/near-names.ts";
import type { Door } from "./door.ts";
import { doorsAt } from "./router.ts";

/** An address of ours that may have been meant, such as `POST /v1/chat/completions`. */
export type NearAddress = (method: string, path: string) => string | undefined;

/** Longer paths are compared by their beginning only, so that the work is bounded. */
const comparedLength = 200;
/** Addresses of other APIs that clients try, and what does the same here. */
const elsewhere: ReadonlyMap<string, string> = new Map(
  ["responses", "completions", "messages"].map((name) => [name, "/v1/chat/completions"]),
);
/** What base URLs begin with, once too often, in another version or not at all. */
const beginning = /^(?:\/(?:api|v\d+))*\//;

/** Suggests what a customer may call: of the operator's doors only an operator learns that they are there. */
export function nearAddressOf(doors: readonly Door[]): NearAddress {
  const open = doors.filter(({ access, path }) => access === "caller" && path.startsWith("/v1/"));
  const byRest = new Map(open.map(({ path }) => [path.replace(beginning, ""), path]));
  const near = nearNames(byRest);
  return (method, path) => {
    const trimmed = path.slice(0, comparedLength).split("/").filter(Boolean).join("/");
    const rest = `/${trimmed}`.replace(beginning, "");
    const found =
      doorsAt(open, `/v1/${rest}`)[0]?.path ?? elsewhere.get(rest) ?? byRest.get(near(rest, 1)[0] ?? "");
    const there = open.filter((door) => door.path === found);
    const door = there.find((one) => one.method === method) ?? there[0];
    return door && `${door.method} ${door.path}`;
  };
}
