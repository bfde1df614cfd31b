import { isJsonObject } from "../core/json-object.ts";
import type { JsonObject } from "../core/json-object.ts";
import type { engineNames } from "./engine.ts";
import { Problem } from "../core/problems.ts";
import { dataHead, fileForm, webStart } from "./input-file.ts";
import { onePageOrSeveral, pageAddress } from "./scrape/page-address.ts";

/** An address that an engine would fetch, and the input that names it. */
export type NamedAddress = {
  readonly param: string;
  readonly url: string;
  /** A file of ours would be read by its own address, without being fetched. */
  readonly mayBeOurs: boolean;
};

type Named = Omit<NamedAddress, "mayBeOurs">;

/** One of several pages that may not be fetched (`urls`) fails alone. */
const readers: Readonly<Record<(typeof engineNames)[number], (inputs: JsonObject) => readonly Named[]>> = {
  scrape: ({ url, urls }) => {
    if (url !== undefined && urls !== undefined)
      throw new Problem("invalid_request", { param: "inputs.url", message: onePageOrSeveral });
    return named("url", url).map((one) => ({ ...one, url: pageAddress(one.url, one.param) }));
  },
  parse: (inputs) => {
    const name = ["document_url", "input", "url"].find((one) => inputs[one] !== undefined) ?? "";
    return named(name, inputs[name]).filter(({ url }) => !/^data:/i.test(url));
  },
  search: () => [],
  image: ({ image, image_url: imageUrl, overlays }) => [
    ...named("image", image).filter(isFetched),
    ...named("image_url", imageUrl).filter(isFetched),
    ...listed("overlays", overlays, "image").filter(isFetched),
  ],
  email: ({ attachments }) => listed("attachments", attachments, "url").filter(isFetched),
  speech: () => [],
  transcribe: ({ audio_url: url }) => named("audio_url", url).filter(isFetched),
};

/** For those who play an engine and have to refuse what it would. Throws what it throws for what is no address at all. */
export function addressesFor(engine: string, inputs: JsonObject): readonly NamedAddress[] {
  const reader = Object.entries(readers).find(([name]) => name === engine)?.[1];
  return (reader?.(inputs) ?? []).map((one) => ({ ...one, mayBeOurs: engine !== "scrape" }));
}

function named(place: string, value: unknown): readonly Named[] {
  return typeof value === "string" ? [{ param: `inputs.${place}`, url: value }] : [];
}

function listed(list: string, items: unknown, member: string): readonly Named[] {
  return (Array.isArray(items) ? items : []).flatMap((item: unknown, index) =>
    isJsonObject(item) ? named(`${list}[${index}].${member}`, item[member]) : [],
  );
}

/** Throws for what is neither an address nor the file itself. */
function isFetched({ param, url }: Named): boolean {
  if (webStart.test(url)) return true;
  if (dataHead.test(url)) return false;
  throw new Problem("invalid_request", { param, message: fileForm(param.slice("inputs.".length)) });
}
