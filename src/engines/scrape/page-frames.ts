import { decodeText } from "./charset.ts";
import { baseOf, makeAddressesAbsolute } from "./page-addresses.ts";
import { isSurrounding, mainContent, removeNoise } from "./main-content.ts";
import { hasTooManyElements, parsePage } from "./page-document.ts";
import type { PageDocument, PageElement } from "./page-document.ts";
import { withoutExcluded } from "./page-selection.ts";
import type { PageSource } from "./page-task.ts";

/** A page that a frame shows, and the address that the frame names. */
export type FrameSource = PageSource & { readonly address: string };

/** What of a document counts: the whole of it, or its main part without some elements. */
type Share = { readonly onlyMainContent: boolean; readonly excludeTags: readonly string[] };

/** More frames are no page but an attack. */
const mostFrames = 10;

/** The pages of the same origin that the page shows in frames. */
export function frameAddresses(document: PageDocument, url: string, share: Share): readonly string[] {
  const { origin } = new URL(url);
  const addresses = framesOf(document, share)
    .filter((frame) => frame.getAttribute("srcdoc") === null)
    .map((frame) => frame.getAttribute("src") ?? "")
    .filter((address) => URL.canParse(address) && new URL(address).origin === origin);
  return [...new Set(addresses)];
}

/** Frames become their content, one level deep: what a frame shows in frames of its own stays out. */
export function insertFrames(document: PageDocument, sources: readonly FrameSource[], share: Share): void {
  for (const { frame, page } of shownPages(document, sources, share)) {
    frame.before(sectionOf(document, page.body));
    frame.remove();
  }
}

/**
 * The main part of what the frames show, in their order; the frames themselves are gone. What looks for the article of a
 * page takes a frame within for something foreign, so their text is no part of that.
 */
export function takeFrames(
  document: PageDocument,
  sources: readonly FrameSource[],
  share: Share,
): readonly PageElement[] {
  return shownPages(document, sources, share).map(({ frame, page }) => {
    frame.remove();
    withoutExcluded(page, share.excludeTags);
    removeNoise(page);
    return sectionOf(document, mainContent(page));
  });
}

function framesOf({ body }: PageDocument, { onlyMainContent }: Share): readonly PageElement[] {
  const frames = body.querySelectorAll("iframe, frame");
  return (onlyMainContent ? frames.filter((frame) => !isSurrounding(frame)) : frames).slice(0, mostFrames);
}

type ShownPage = { readonly frame: PageElement; readonly page: PageDocument };

function shownPages(
  document: PageDocument,
  sources: readonly FrameSource[],
  share: Share,
): readonly ShownPage[] {
  const byAddress = new Map(sources.map((source) => [source.address, source]));
  return framesOf(document, share).flatMap((frame) => {
    const page = pageIn(frame, byAddress.get(frame.getAttribute("src") ?? ""));
    for (const inner of page?.body.querySelectorAll("iframe, frame") ?? []) inner.remove();
    return page === undefined ? [] : [{ frame, page }];
  });
}

function pageIn(frame: PageElement, source: FrameSource | undefined): PageDocument | undefined {
  const written = frame.getAttribute("srcdoc");
  if (written !== null) return parsePage(written);
  if (source === undefined) return undefined;
  const html = decodeText(source.bytes, source.contentType);
  if (hasTooManyElements(html)) return undefined;
  const page = parsePage(html);
  makeAddressesAbsolute(page, baseOf(page, source.url));
  return page;
}

function sectionOf(document: PageDocument, content: PageElement): PageElement {
  const section = document.createElement("section");
  for (const node of content.childNodes) section.append(node);
  return section;
}
