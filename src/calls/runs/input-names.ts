import { isJsonObject } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";
import type { RunModel } from "../../core/model.ts";
import { storable, storableJson } from "../../core/storable-text.ts";

/** Names that clients use for the same input. A model knows one of them; the others of its row are taken for it. */
const sameInputs: readonly (readonly string[])[] = [
  ["query", "q", "search", "search_query", "prompt", "text", "input"],
  ["prompt", "text", "input", "inputText", "description"],
  ["text", "input", "prompt", "content"],
  ["image", "image_url", "input_image", "image_data"],
  ["image_url", "image", "input_image"],
  ["images", "image_urls", "reference_images"],
  ["duration", "duration_seconds", "seconds", "length_seconds"],
  ["to", "receivers", "recipients", "to_addresses"],
  ["from", "sender", "from_address"],
  ["html", "body_html", "html_body"],
  ["text", "body_text", "text_body", "body", "message"],
  ["subject", "title"],
  ["document_url", "url", "document", "file_url", "input"],
  ["url", "link", "page_url", "website", "urls"],
  ["voice_id", "voice"],
  ["voice", "voice_id"],
  ["audio_data", "audio", "audio_base64", "file_data"],
  ["audio_url", "audio", "file_url"],
  ["filename", "file_name"],
  ["n", "num_images", "num_outputs", "count"],
  ["max_results", "limit", "num", "num_results", "count"],
  ["limit", "max_results", "num", "count"],
  ["num_results", "max_results", "limit", "count"],
  ["size", "image_size", "resolution"],
  ["documents", "texts"],
  ["input", "inputs", "texts", "text"],
];

export type NamedInputs = {
  /** A copy, with text that a database keeps. */
  readonly inputs: Record<string, unknown>;
  /** The model's name → the customer's. */
  readonly givenAs: ReadonlyMap<string, string>;
};

/** What is read of a model here. */
export type NamedModel = Pick<RunModel, "inputs" | "inputAliases">;

/** The schemas of a model's inputs, by name. */
export function propertiesOf({ inputs }: NamedModel): JsonObject {
  return isJsonObject(inputs["properties"]) ? inputs["properties"] : {};
}

/** Whether any input goes to the model as it is. */
export function takesAnything({ inputs }: NamedModel): boolean {
  return inputs["additionalProperties"] !== false;
}

/** Whether the model has an input that this name stands for. */
export function isUnderstood(model: NamedModel, name: string): boolean {
  return takesAnything(model) || Object.hasOwn(propertiesOf(model), ownName(name, { model, given: {} }));
}

/**
 * The inputs by the names that the model has for them. Clients that know no model by heart send one thing under several
 * names at once: the model's own name wins.
 */
export function namedInputs(model: NamedModel, sent: JsonObject): NamedInputs {
  const given = Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== null));
  const inputs = new Map<string, unknown>();
  const givenAs = new Map<string, string>();
  for (const [name, value] of Object.entries(given)) {
    const own = storable(ownName(name, { model, given }));
    if (inputs.has(own) && own !== name) continue;
    inputs.set(own, storableJson(value));
    givenAs.set(own, storable(name));
  }
  return { inputs: Object.fromEntries(inputs), givenAs };
}

type Names = { readonly model: NamedModel; readonly given: JsonObject };

/** Of several rows that know the name, the first whose own is still to be given. */
function ownName(name: string, { model, given }: Names): string {
  const properties = propertiesOf(model);
  if (Object.hasOwn(properties, name)) return name;
  const alias = Object.hasOwn(model.inputAliases, name) ? model.inputAliases[name] : undefined;
  if (alias !== undefined) return alias;
  const rows = sameInputs.flatMap(([own = "", ...others]) =>
    Object.hasOwn(properties, own) && others.includes(name) ? [own] : [],
  );
  return rows.find((own) => !Object.hasOwn(given, own)) ?? rows[0] ?? name;
}
