import type { Door } from "./door.ts";

export type Matched = { readonly door: Door; readonly parameters: Readonly<Record<string, string>> };

export type Router = {
  /** The door, or the methods that this path would take (none: there is nothing here). */
  match(method: string, path: string): Matched | { readonly allowed: readonly string[] };
};

type Pattern = { readonly door: Door; readonly expression: RegExp; readonly names: readonly string[] };

/** Fixed paths are found in one look-up, paths with parameters one after the other in the order of the list. */
export function routerOf(doors: readonly Door[]): Router {
  const fixed = new Map<string, Door>();
  const patterns: Pattern[] = [];
  for (const door of doors) {
    if (door.path.includes("{")) patterns.push(patternOf(door));
    else fixed.set(`${door.method} ${door.path}`, door);
  }
  return {
    match(asked, path) {
      // What HEAD answers is what GET would, and node:http leaves the body away (RFC 9110, 9.3.2).
      const method = asked === "HEAD" ? "GET" : asked;
      const door = fixed.get(`${method} ${path}`);
      if (door !== undefined) return { door, parameters: {} };
      for (const pattern of patterns) {
        const found = pattern.door.method === method ? pattern.expression.exec(path) : null;
        const parameters = found === null ? undefined : decoded(pattern.names, found);
        if (parameters !== undefined) return { door: pattern.door, parameters };
      }
      return { allowed: doorsAt(doors, path).flatMap(methodsOf) };
    },
  };
}

/** Those of any method that this path leads to. */
export function doorsAt(doors: readonly Door[], path: string): readonly Door[] {
  return doors.filter((door) => {
    const { expression, names } = patternOf(door);
    const found = expression.exec(path);
    return found !== null && decoded(names, found) !== undefined;
  });
}

function methodsOf({ method }: Door): readonly string[] {
  return method === "GET" ? ["GET", "HEAD"] : [method];
}

function patternOf(door: Door): Pattern {
  const names = [...door.path.matchAll(/\{(\w+)(\.\.\.)?\}/g)].map((match) => match[1] ?? "");
  const source = door.path
    .replaceAll(".", "\\.")
    .replaceAll(/\{\w+\\\.\\\.\\\.\}/g, "(.+)")
    .replaceAll(/\{\w+\}/g, "([^/]+)");
  return { door, expression: new RegExp(`^${source}$`), names };
}

/** Undefined when the path is not valid percent-encoding: such a path names nothing. */
function decoded(
  names: readonly string[],
  found: RegExpExecArray,
): Readonly<Record<string, string>> | undefined {
  try {
    return Object.fromEntries(names.map((name, index) => [name, decodeURIComponent(found[index + 1] ?? "")]));
  } catch {
    return undefined;
  }
}
