import type { PageDocument, PageElement } from "./page-document.ts";

/** Attributes that name an address, per element. */
const addressed: readonly { readonly selector: string; readonly attribute: string }[] = [
  { selector: "a[href], area[href]", attribute: "href" },
  {
    selector: "img[src], iframe[src], frame[src], video[src], audio[src], source[src], embed[src]",
    attribute: "src",
  },
  { selector: "video[poster]", attribute: "poster" },
];

/** Where scripts that load pictures late keep the picture's address. */
const lateSources = ["data-src", "data-original", "data-lazy-src"];
const mostListed = 5000;
const longestAddress = 4096;

/** The address that the page's relative ones are relative to. */
export function baseOf(document: PageDocument, url: string): string {
  const base = document.querySelector("base[href]")?.getAttribute("href");
  return base == null ? url : (absolute(base, url) ?? url);
}

/** Makes every address in the document absolute; those that are none are taken out. */
export function makeAddressesAbsolute(document: PageDocument, base: string): void {
  for (const image of document.querySelectorAll("img")) useLateSource(image);
  for (const { selector, attribute } of addressed) {
    for (const element of document.querySelectorAll(selector)) {
      const address = absolute(element.getAttribute(attribute) ?? "", base);
      if (address === undefined) element.removeAttribute(attribute);
      else element.setAttribute(attribute, address);
    }
  }
  for (const element of document.querySelectorAll("[srcset]")) element.removeAttribute("srcset");
}

/** Links of the page, each once, in its order; without those to places within a page. */
export function linksOf(document: PageDocument): readonly string[] {
  return listed(document.querySelectorAll("a[href], area[href]"), "href");
}

export function imagesOf(document: PageDocument): readonly string[] {
  return listed(document.querySelectorAll("img[src]"), "src");
}

function listed(elements: readonly PageElement[], attribute: string): readonly string[] {
  const found = new Set<string>();
  for (const element of elements) {
    const address = (element.getAttribute(attribute) ?? "").replace(/#.*$/, "");
    if (/^https?:/.test(address)) found.add(address);
    if (found.size >= mostListed) break;
  }
  return [...found];
}

/** `http`, `https`, `mailto` and `tel` only: a script is no address, and pictures within the page are no text. */
function absolute(address: string, base: string): string | undefined {
  const trimmed = address.trim();
  if (trimmed === "" || trimmed.length > longestAddress || !URL.canParse(trimmed, base)) return undefined;
  const url = new URL(trimmed, base);
  return /^(?:https?|mailto|tel):$/.test(url.protocol) ? url.href : undefined;
}

function useLateSource(image: PageElement): void {
  const source = image.getAttribute("src") ?? "";
  if (source !== "" && !source.startsWith("data:")) return;
  const late = lateSources
    .map((name) => image.getAttribute(name))
    .find((value) => value !== null && value !== "");
  if (late != null) image.setAttribute("src", late);
}
