import { isJsonObject } from "../core/json-object.ts";

export type NamedInput = { readonly name: string; readonly path: string };

const ofPath = /^\$\.inputs\.([A-Za-z_]\w*)/;
const ofTemplate = /\{\{|\{\+?inputs\.([A-Za-z_]\w*)/g;
/** Members whose texts hold placeholders: of addresses, and the operator that fills texts. */
const templates: ReadonlySet<string> = new Set(["path", "$tpl"]);

/** Every input that an endpoint's data names, and where. */
export function namedInputs(value: unknown, path: string): readonly NamedInput[] {
  if (typeof value === "string") return namedIn(value, path);
  if (Array.isArray(value)) return value.flatMap((item, index) => namedInputs(item, `${path}[${index}]`));
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([member, one]) =>
    member === "$literal" ? [] : namedInputs(one, `${path}.${member}`),
  );
}

function namedIn(text: string, path: string): readonly NamedInput[] {
  const [, name] = ofPath.exec(text) ?? [];
  if (name !== undefined) return [{ name, path }];
  if (!templates.has(/[\w$]+$/.exec(path)?.[0] ?? "")) return [];
  return Array.from(text.matchAll(ofTemplate), ([, placed]) => placed)
    .filter((placed) => placed !== undefined)
    .map((placed) => ({ name: placed, path }));
}
