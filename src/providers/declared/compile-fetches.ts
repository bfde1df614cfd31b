import type { EndpointFetch } from "../../core/endpoint.ts";
import { compileExpression } from "./expression.ts";
import type { Whereabouts } from "./expression.ts";
import { holds, textOf } from "./json-values.ts";
import type { EndpointFault, Evaluate, Scope } from "./place.ts";
import { compileQuestion, targetOf } from "./question.ts";
import type { RunAsk } from "./run-wire.ts";
import { rootsAfterWork, takenNames } from "./scopes.ts";
import type { ValuePath } from "./value-path.ts";

export type CompiledPages = {
  /** Where the next page is, told by this one; undefined at the last one. */
  readonly next: (scope: Scope) => string | undefined;
  readonly items: Evaluate;
  readonly maxPages: number;
};

export type CompiledFetch = {
  readonly as: string;
  readonly isWanted: (scope: Scope) => boolean;
  /** Undefined when the answers do not tell where to ask. `next`: as the page before told it. */
  readonly ask: (scope: Scope, next: string | undefined) => RunAsk | undefined;
  readonly pages: CompiledPages | undefined;
  /** What it reads of the answers before it. */
  readonly reads: readonly ValuePath[];
};

const name = /^[A-Za-z_]\w*$/;
const mostPages = 1_000;

export function compileFetches(
  fetches: readonly EndpointFetch[],
  hasPolling: boolean,
  faults: EndpointFault[],
): readonly CompiledFetch[] {
  return fetches.map((fetch, index) => {
    const path = `fetches[${index}]`;
    const before = fetches.slice(0, index).map(({ as }) => as);
    if (!name.test(fetch.as) || takenNames.has(fetch.as) || before.includes(fetch.as)) {
      faults.push({ path: `${path}.as`, message: "want a name that nothing else has" });
    }
    return compileFetch(fetch, { path, roots: rootsAfterWork(hasPolling, before), faults });
  });
}

function compileFetch(fetch: EndpointFetch, where: Whereabouts): CompiledFetch {
  const { path, roots } = where;
  const when = compileExpression(fetch.when ?? true, { ...where, path: `${path}.when` });
  const asked = fetch.pages === undefined ? roots : new Set([...roots, "next"]);
  const question = compileQuestion(fetch, { ...where, roots: asked });
  const pages = fetch.pages === undefined ? undefined : compilePages(fetch.pages, where);
  const takesNext = question.reads.some(([root]) => root === "next");
  return {
    as: fetch.as,
    isWanted: (scope) => holds(when.evaluate(scope)),
    ask(scope, next) {
      if (next === undefined || takesNext) return question.ask({ ...scope, next });
      const target = targetOf(next);
      return target && { method: fetch.method, target, headers: {}, body: undefined };
    },
    pages: pages?.compiled,
    reads: [...when.reads, ...question.reads, ...(pages?.reads ?? [])],
  };
}

const mostCharacters = 4_096;

function compilePages(
  pages: NonNullable<EndpointFetch["pages"]>,
  where: Whereabouts,
): { readonly compiled: CompiledPages; readonly reads: readonly ValuePath[] } {
  const at = `${where.path}.pages`;
  if (!Number.isInteger(pages.maxPages) || pages.maxPages < 1 || pages.maxPages > mostPages) {
    where.faults.push({ path: `${at}.max_pages`, message: `want 1 to ${mostPages}` });
  }
  const next = compileExpression(pages.next, { ...where, path: `${at}.next` });
  const items = compileExpression(pages.items, { ...where, path: `${at}.items` });
  return {
    compiled: {
      next(scope) {
        const told = textOf(next.evaluate(scope));
        return told === "" || (told ?? "").length > mostCharacters ? undefined : told;
      },
      items: items.evaluate,
      maxPages: pages.maxPages,
    },
    // Of the page itself nothing is kept but its items.
    reads: [...next.reads, ...items.reads].filter(([root]) => !ofThePage.has(root)),
  };
}

const ofThePage: ReadonlySet<string> = new Set(["res", "headers", "status"]);
