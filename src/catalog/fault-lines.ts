import { readFileSync } from "node:fs";
import { parseTree } from "jsonc-parser";
import type { Node, ParseError } from "jsonc-parser";
import type { Fault } from "./read-files.ts";

/** Adds to each fault the line where it stands. Reads the files again, which only happens when something is wrong. */
export function withLines(faults: readonly Fault[]): readonly Fault[] {
  const finders = new Map<string, (path: string) => number | undefined>();
  return faults.map((fault) => {
    const find = finders.get(fault.file) ?? lineFinder(fault.file);
    finders.set(fault.file, find);
    const line = find(fault.path);
    return line === undefined ? fault : { ...fault, line };
  });
}

/** Of what a path such as `offers[0].price` names; of what is nearest above it where that is missing. */
function lineFinder(file: string): (path: string) => number | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return () => undefined;
  }
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { disallowComments: true });
  const lineAt = (offset: number) => text.slice(0, offset).split("\n").length;
  const [broken] = errors;
  if (broken !== undefined) return () => lineAt(broken.offset);
  return (path) => {
    if (tree === undefined) return undefined;
    const own = deepest(tree, path);
    // What a row of a family was filled into stands in the family's template, unless the row itself has it.
    const row = /^rows\[\d+\]/.exec(path)?.[0];
    if (row !== undefined && own.path === row) {
      const template = deepest(tree, `model${path.slice(row.length)}`);
      if (template.path !== "model") return lineAt(template.node.offset);
    }
    return lineAt(own.node.offset);
  };
}

type Found = { readonly node: Node; readonly path: string };

function deepest(tree: Node, wanted: string): Found {
  let found: Found = { node: tree, path: "" };
  for (;;) {
    const next = childrenOf(found).find(({ path }) => leadsTo(path, wanted));
    if (next === undefined) return found;
    found = next;
  }
}

function leadsTo(path: string, wanted: string): boolean {
  return wanted === path || wanted.startsWith(`${path}.`) || wanted.startsWith(`${path}[`);
}

function childrenOf({ node, path }: Found): readonly Found[] {
  const children = node.children ?? [];
  if (node.type === "array")
    return children.map((child, index) => ({ node: child, path: `${path}[${index}]` }));
  return children.flatMap((property) => {
    const [name, value] = property.children ?? [];
    if (name === undefined || value === undefined) return [];
    return [{ node: value, path: path === "" ? String(name.value) : `${path}.${String(name.value)}` }];
  });
}
