import { decodeText } from "./charset.ts";
import { baseOf, makeAddressesAbsolute } from "./page-addresses.ts";
import { parsePage } from "./page-document.ts";
import type { PageDocument, PageElement } from "./page-document.ts";
import type { PageSource } from "./page-task.ts";

/** More frames are no page but an attack. */
const mostFrames = 10;

/** The pages of the same origin that the page shows in frames. */
export function frameAddresses(document: PageDocument, url: string): readonly string[] {
  const { origin } = new URL(url);
  const addresses = framesOf(document)
    .filter((frame) => frame.getAttribute("srcdoc") === null)
    .map((frame) => frame.getAttribute("src") ?? "")
    .filter((address) => URL.canParse(address) && new URL(address).origin === origin);
  return [...new Set(addresses)];
}

/** Frames become their content, one level deep: what a frame shows in frames of its own stays out. */
export function insertFrames(
  document: PageDocument,
  sources: readonly (PageSource & { readonly address: string })[],
): void {
  const byAddress = new Map(sources.map((source) => [source.address, source]));
  for (const frame of framesOf(document)) {
    const written = frame.getAttribute("srcdoc");
    const source = byAddress.get(frame.getAttribute("src") ?? "");
    if (written !== null) show(document, frame, parsePage(written));
    else if (source !== undefined) {
      const page = parsePage(decodeText(source.bytes, source.contentType));
      makeAddressesAbsolute(page, baseOf(page, source.url));
      show(document, frame, page);
    }
  }
}

function framesOf(document: PageDocument): readonly PageElement[] {
  return document.body.querySelectorAll("iframe, frame").slice(0, mostFrames);
}

function show(document: PageDocument, frame: PageElement, page: PageDocument): void {
  for (const inner of page.body.querySelectorAll("iframe, frame")) inner.remove();
  const content = document.createElement("section");
  for (const node of page.body.childNodes) content.append(node);
  frame.before(content);
  frame.remove();
}
