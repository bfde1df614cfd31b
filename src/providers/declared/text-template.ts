import { parsePath } from "./value-path.ts";
import type { ValuePath } from "./value-path.ts";

/** `{inputs.name}` in a text. With a plus before it (`{+inputs.name}`) the slashes of the value stay slashes. */
export type Placeholder = { readonly path: ValuePath; readonly hasPlus: boolean };

const piece = /\{\{|\}\}|\{(\+?)([^{}]*)\}|[{}]|[^{}]+/g;

/** The text's pieces in order; `{{` and `}}` stand for braces. A string alone is what is wrong with it. */
export function parseTemplate(text: string): readonly (string | Placeholder)[] | string {
  const pieces: (string | Placeholder)[] = [];
  for (const [whole, plus, inner] of text.matchAll(piece)) {
    if (inner === undefined) {
      if (whole === "{" || whole === "}") return "a brace stands alone; write it twice to mean itself";
      pieces.push(whole === "{{" || whole === "}}" ? whole.charAt(0) : whole);
      continue;
    }
    const path = parsePath(`.${inner}`);
    if (path === undefined) return `{${inner}} is no path such as {inputs.name}`;
    pieces.push({ path, hasPlus: plus === "+" });
  }
  return pieces;
}
