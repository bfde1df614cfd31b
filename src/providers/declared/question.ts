import type { EndpointQuestion } from "../../core/endpoint.ts";
import { compileAddressPath, isPlainPath } from "./address-path.ts";
import { placeOf } from "./expression.ts";
import type { Whereabouts } from "./expression.ts";
import { compileQuery } from "./flat-form.ts";
import { faulty, within } from "./place.ts";
import type { Place, Scope } from "./place.ts";
import type { RunAsk } from "./run-wire.ts";
import type { ValuePath } from "./value-path.ts";

export type CompiledQuestion = {
  /** Undefined when the answers so far do not tell where to ask. */
  readonly ask: (scope: Scope) => RunAsk | undefined;
  readonly reads: readonly ValuePath[];
};

type Target = RunAsk["target"];

/** A question that follows the submission. */
export function compileQuestion(question: EndpointQuestion, where: Whereabouts): CompiledQuestion {
  const place = placeOf(where);
  const target = compileTarget(question, place);
  const query = compileQuery(question.query, within(place, "query"));
  return {
    reads: place.reads,
    ask(scope) {
      const asked = target(scope);
      const parameters = query(scope);
      if (asked === undefined || parameters === undefined) return undefined;
      return { method: question.method, target: withQuery(asked, parameters), headers: {}, body: undefined };
    },
  };
}

function compileTarget({ url, path }: EndpointQuestion, place: Place): (scope: Scope) => Target | undefined {
  if (url !== undefined && path === undefined) {
    const address = place.compile(url, within(place, "url"));
    return (scope) => targetOf(address(scope));
  }
  if (path === undefined || url !== undefined) {
    faulty(place, "want either a url or a path");
    return () => undefined;
  }
  const written = compileAddressPath(path, within(place, "path"));
  return (scope) => {
    const address = written(scope);
    return "path" in address ? address : undefined;
  };
}

/** What an answer named: a whole address, or a path below the provider's own. */
export function targetOf(address: unknown): Target | undefined {
  if (typeof address !== "string") return undefined;
  if (address.startsWith("/")) return isPlainPath(address) ? { path: address } : undefined;
  if (!/^https?:\/\//i.test(address) || !URL.canParse(address)) return undefined;
  const url = new URL(address);
  if (url.username !== "" || url.password !== "") return undefined;
  url.hash = "";
  return { url: url.href };
}

function withQuery(target: Target, query: string): Target {
  if (query === "") return target;
  if ("path" in target) return { path: extended(target.path, query) };
  return { url: extended(target.url, query) };
}

function extended(address: string, query: string): string {
  return `${address}${address.includes("?") ? "&" : "?"}${query}`;
}
