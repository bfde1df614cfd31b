import { createHash } from "node:crypto";
import type { Catalog, Found } from "../catalog/catalog.ts";
import type { Mode } from "../core/caller.ts";
import type { Model } from "../core/model.ts";
import { hasOwnPage, shownModel } from "./shown-model.ts";
import type { ShowingHouse } from "./shown-model.ts";

/** One name of a model, with its place in the list. */
export type ListedModel = {
  readonly model: Model;
  readonly id: string;
  /** As JSON with a comma behind it, for whoever reached us at `url`. */
  readonly textFor: (url: string) => Buffer;
};

export type ListedModels = {
  readonly all: readonly ListedModel[];
  /** Differs where any of the texts does, but for the addresses in them. */
  readonly digest: string;
};

/**
 * What can be listed to keys of a mode, made when it is first asked for: to make the 2.7 MB anew for each request took
 * 25 ms of the processor. It is kept once per mode, whoever asks from wherever for whichever part of it.
 */
export function listedModels(catalog: Catalog, house: ShowingHouse): (mode: Mode) => ListedModels {
  const made = new Map<Mode, ListedModels>();
  return (mode) => {
    const known = made.get(mode);
    if (known !== undefined) return known;
    const shown = catalog.models.flatMap(names).map((found) => shownIn(found, house, mode));
    const texts = shown.map(({ made: make }) => make(""));
    const room = Buffer.concat(texts);
    let end = 0;
    const all = shown.map(({ model, id, made: make }, place) => {
      const start = end;
      end += texts[place]?.length ?? 0;
      const text = room.subarray(start, end);
      // Clients choose the address that these few are told with: no text that has it is kept.
      return { model, id, textFor: hasOwnPage(model) ? make : () => text };
    });
    const models = { all, digest: createHash("sha256").update(room).digest("base64url") };
    made.set(mode, models);
    return models;
  };
}

/** The texts one behind the other, in as few pieces as can be: most of them lie that way already. */
export function joinedTexts(models: readonly ListedModel[], url: string): readonly Buffer[] {
  const pieces: Buffer[] = [];
  let first: Buffer | undefined;
  let sizeBytes = 0;
  const end = (): void => {
    if (first !== undefined) pieces.push(Buffer.from(first.buffer, first.byteOffset, sizeBytes));
  };
  for (const text of models.map(({ textFor }) => textFor(url))) {
    const isNext = first?.buffer === text.buffer && first.byteOffset + sizeBytes === text.byteOffset;
    if (!isNext) end();
    if (!isNext) [first, sizeBytes] = [text, 0];
    sizeBytes += text.length;
  }
  // The comma behind the last.
  sizeBytes -= 1;
  end();
  return pieces;
}

/** The model itself, and those of its aliases that are names customers know it by. */
function names(model: Model): readonly Found[] {
  return [
    { model, alias: undefined },
    ...model.aliases.filter((alias) => alias.listed).map((alias) => ({ model, alias })),
  ];
}

function shownIn(found: Found, house: ShowingHouse, mode: Mode) {
  const { model, alias } = found;
  const made = (url: string): Buffer =>
    Buffer.from(`${JSON.stringify(shownModel(found, house, { mode, url }))},`);
  return { model, id: alias?.id ?? model.id, made };
}
