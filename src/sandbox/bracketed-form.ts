import { badRequest } from "./refusal.ts";
import type { JsonObject } from "./json.ts";

const mostFields = 2_000;
const mostDepth = 12;

type Node = { value: string | undefined; readonly children: Map<string, Node> };

/**
 * A form-encoded body with nesting in brackets, as Stripe and Twilio read it: `items[0][price]=5` is
 * `{items: [{price: "5"}]}`, `tags[]=a&tags[]=b` a list. All values are strings.
 */
export function formIn(body: string): JsonObject {
  const root: Node = { value: undefined, children: new Map() };
  let fields = 0;
  for (const [name, value] of new URLSearchParams(body)) {
    fields += 1;
    const path = pathOf(name);
    if (fields > mostFields || path.length > mostDepth) throw badRequest("The form is too large.");
    let node = root;
    for (const key of path) {
      const step = key === "" ? String(node.children.size) : key;
      const next = node.children.get(step) ?? { value: undefined, children: new Map() };
      node.children.set(step, next);
      node = next;
    }
    node.value = value;
  }
  return objectOf(root);
}

/** `a[b][]` is `a`, `b` and an empty name; a name with brackets elsewhere is a plain name. */
function pathOf(name: string): readonly string[] {
  const [, first, rest] = /^([^[\]]+)((?:\[[^[\]]*\])*)$/.exec(name) ?? [];
  if (first === undefined || rest === undefined) return [name];
  return [first, ...[...rest.matchAll(/\[([^[\]]*)\]/g)].map(([, key = ""]) => key)];
}

function objectOf({ children }: Node): JsonObject {
  // Object.fromEntries defines members, so that a name such as __proto__ is a name like any other.
  return Object.fromEntries([...children].map(([key, child]) => [key, valueOf(child)]));
}

function valueOf(node: Node): unknown {
  if (node.children.size === 0) return node.value;
  const isList = [...node.children.keys()].every((key) => /^\d+$/.test(key));
  return isList ? [...node.children.values()].map(valueOf) : objectOf(node);
}
