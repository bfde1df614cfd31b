import type { Emulator, Route } from "./emulator.ts";
import { bytesOf, contentTypeOf } from "./media/media-file.ts";
import { fileIn } from "./media/media-token.ts";
import { bytes } from "./run-answer.ts";
import type { RunAnswer } from "./run-answer.ts";
import type { RunRequest } from "./run-request.ts";

export type FoundRoute = { readonly route: Route; readonly named: Readonly<Record<string, string>> };

type Pattern = { readonly route: Route; readonly form: RegExp };

const compiled = new WeakMap<Emulator, readonly Pattern[]>();

/** The first route of the emulator that fits, files last. */
export function routeTo(emulator: Emulator, method: string, path: string): FoundRoute | undefined {
  let patterns = compiled.get(emulator);
  if (patterns === undefined) {
    patterns = [...emulator.routes, filesRoute].map((route) => ({ route, form: formOf(route.path) }));
    compiled.set(emulator, patterns);
  }
  for (const { route, form } of patterns) {
    if (route.method !== method) continue;
    const named = namedBy(form, path);
    if (named !== undefined) return { route, named };
  }
  return undefined;
}

function formOf(path: string): RegExp {
  const source = path
    .split(/(\{\w+(?:\.\.\.)?\})/)
    .map((part) => {
      const [, name, dots] = /^\{(\w+)(\.\.\.)?\}$/.exec(part) ?? [];
      if (name === undefined) return part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
      return dots === undefined ? `(?<${name}>[^/]+)` : `(?<${name}>.+)`;
    })
    .join("");
  return new RegExp(`^${source}$`);
}

function namedBy(form: RegExp, path: string): Readonly<Record<string, string>> | undefined {
  const match = form.exec(path);
  if (match === null) return undefined;
  try {
    const groups = Object.entries(match.groups ?? {});
    return Object.fromEntries(groups.map(([name, value]) => [name, decodeURIComponent(value)]));
  } catch {
    return undefined;
  }
}

const filesRoute: Route = {
  method: "GET",
  path: "/files/{token}",
  isOpen: true,
  answer: (request) => fileOf(request),
};

/** The file of a token, or what a store for signed addresses says: 404 for none, 403 for one whose time is over. */
export async function fileOf(request: RunRequest, token = request.in("token")): Promise<RunAnswer> {
  const found = fileIn(token);
  if (found === undefined) return refusedByStore(404, "NoSuchKey", "The specified key does not exist.");
  if (found.expiresAt !== undefined && request.now() >= found.expiresAt) {
    return refusedByStore(403, "AccessDenied", "Request has expired");
  }
  return bytes(contentTypeOf(found.file), await bytesOf(found.file));
}

function refusedByStore(status: number, code: string, message: string): RunAnswer {
  const text = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  return bytes("application/xml", text, { status });
}
