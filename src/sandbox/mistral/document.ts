import { fingerprintOf } from "../answers/random.ts";
import { isObject } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { Refusal } from "../refusal.ts";

export type ReadDocument = { readonly name: string; readonly pages: number; readonly bytes: number | null };

const longestName = 80;
const mostPages = 1_000;

/**
 * The document of a request. Nothing is fetched: an address tells the number of its pages by a part such as `40-pages`,
 * otherwise its text decides; a PDF that is sent along is counted; a picture is one page.
 */
export function documentIn({
  type,
  document_url: documentUrl,
  image_url: imageUrl,
}: JsonObject): ReadDocument {
  if (type !== "document_url" && type !== "image_url") {
    throw new Refusal(422, "Input should be a document or an image.", { param: "document" });
  }
  const address = type === "document_url" ? documentUrl : addressIn(imageUrl);
  if (typeof address !== "string") {
    throw new Refusal(422, "Field required", { param: `document.${type}`, code: "missing" });
  }
  const inline = /^data:([\w.+-]+\/[\w.+-]+);base64,(.*)$/s.exec(address);
  if (inline !== null) return inlineDocument(inline[1] ?? "", inline[2] ?? "");
  if (!/^https?:\/\/./.test(address)) throw new Refusal(400, "The document could not be fetched.");
  return { name: nameIn(address), pages: type === "image_url" ? 1 : pagesOf(address), bytes: null };
}

function addressIn(imageUrl: unknown): unknown {
  return isObject(imageUrl) ? imageUrl["url"] : imageUrl;
}

function inlineDocument(mime: string, base64: string): ReadDocument {
  const bytes = Buffer.from(base64, "base64");
  if (bytes.length === 0) throw new Refusal(400, "The document is empty.");
  const isPdf = bytes.subarray(0, 5).toString("latin1") === "%PDF-";
  const pages = isPdf ? (bytes.toString("latin1").match(/\/Type\s*\/Page(?![a-zA-Z])/g)?.length ?? 1) : 1;
  return { name: mime, pages: Math.min(mostPages, pages), bytes: bytes.length };
}

function pagesOf(address: string): number {
  const told = /(\d{1,3})-pages/.exec(address)?.[1];
  const pages = told ?? String(1 + (Number.parseInt(fingerprintOf(address).slice(0, 4), 16) % 8));
  return Math.min(mostPages, Math.max(1, Number(pages)));
}

function nameIn(address: string): string {
  return (
    address
      .split(/[/?#]/)
      .findLast((part) => part !== "")
      ?.slice(0, longestName) ?? ""
  );
}
