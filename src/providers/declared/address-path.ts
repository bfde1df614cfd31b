import { requestTarget } from "../upstream-address.ts";
import { textOf } from "./json-values.ts";
import { compilePath, faulty } from "./place.ts";
import type { Evaluate, Place, Scope } from "./place.ts";
import { parseTemplate } from "./text-template.ts";
import type { Placeholder } from "./text-template.ts";
import type { ValuePath } from "./value-path.ts";

/** The path, or the placeholder whose value cannot be part of one. */
export type WrittenAddress = { readonly path: string } | { readonly unfit: ValuePath };

const mostCharacters = 2_000;
const anyBase = { origin: "", host: "", pathPrefix: "" };

/**
 * A path below the provider's address with placeholders. Values are percent-encoded. A value of the inputs is one
 * segment, its slashes are encoded too, unless the placeholder has a plus; values of answers and settings keep theirs,
 * as they are names such as `models/x/operations/y`. No value is empty or climbs: no empty, `.` or `..` segment.
 */
export function compileAddressPath(text: string, place: Place): (scope: Scope) => WrittenAddress {
  const pieces = parseTemplate(text);
  if (typeof pieces === "string") return nowhere(place, pieces);
  const sample = pieces.map((piece) => (typeof piece === "string" ? piece : "x")).join("");
  if (sample.includes("?") || !isPlainPath(sample)) {
    return nowhere(place, "want a plain path that begins with one slash, the query apart");
  }
  const writers = pieces.map((piece) => (typeof piece === "string" ? piece : writerOf(piece, place)));
  return (scope) => {
    let path = "";
    let last: ValuePath = ["inputs"];
    for (const writer of writers) {
      const segment = typeof writer === "string" ? writer : writer.write(scope);
      if (typeof writer !== "string") last = writer.path;
      if (segment === undefined) return { unfit: last };
      path += segment;
    }
    // Pieces that are harmless alone may climb together: "/." and ".".
    return isPlainPath(path) ? { path } : { unfit: last };
  };
}

function nowhere(place: Place, message: string): () => WrittenAddress {
  faulty(place, message);
  return () => ({ path: "/" });
}

/** Whether it stays below the provider's address, whatever that is. */
export function isPlainPath(path: string): boolean {
  try {
    requestTarget(anyBase, path);
    return true;
  } catch {
    return false;
  }
}

type Writer = { readonly path: ValuePath; readonly write: (scope: Scope) => string | undefined };

function writerOf({ path, hasPlus }: Placeholder, place: Place): Writer {
  const value: Evaluate = compilePath(path, place);
  const keepsSlashes = hasPlus || path[0] !== "inputs";
  return {
    path,
    write(scope) {
      const text = textOf(value(scope));
      if (text === undefined || text.length > mostCharacters || !text.isWellFormed()) return undefined;
      const segments = text.split(/[/\\]/);
      if (segments.some((segment) => segment === "" || segment === "." || segment === "..")) return undefined;
      return keepsSlashes ? text.split("/").map(encodeURIComponent).join("/") : encodeURIComponent(text);
    },
  };
}
