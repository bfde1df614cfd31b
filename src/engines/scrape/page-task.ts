/** Reads one page, in a worker of the pool. */
import { Problem } from "../../core/problems.ts";
import { decodeText } from "./charset.ts";
import { mainContent, removeNoise, textLength } from "./main-content.ts";
import { toMarkdown } from "./markdown.ts";
import { baseOf, imagesOf, linksOf, makeAddressesAbsolute } from "./page-addresses.ts";
import { hasTooManyElements, parsePage } from "./page-document.ts";
import type { PageDocument, PageElement } from "./page-document.ts";
import { factsOf } from "./page-facts.ts";
import type { PageFacts } from "./page-facts.ts";
import { frameAddresses, insertFrames, takeFrames } from "./page-frames.ts";
import type { FrameSource } from "./page-frames.ts";
import type { PageFormat } from "./page-formats.ts";
import { chosenContent, withoutExcluded } from "./page-selection.ts";

export type PageSource = {
  readonly bytes: Uint8Array;
  readonly contentType: string;
  /** Where it came from in the end. */
  readonly url: string;
};

export type PageOrder = PageSource & {
  readonly formats: readonly PageFormat[];
  readonly onlyMainContent: boolean;
  /** CSS selectors. */
  readonly includeTags: readonly string[];
  readonly excludeTags: readonly string[];
  /** Pages that the page shows in frames, by the address it names. */
  readonly frames: readonly FrameSource[];
};

export type PageReading = {
  readonly contents: {
    readonly markdown?: string;
    readonly html?: string;
    readonly rawHtml?: string;
    /** The same, by the name that `firecrawl/scrape` has for it. */
    readonly raw_html?: string;
    readonly links?: readonly string[];
    readonly images?: readonly string[];
  };
  readonly facts: PageFacts;
  /** Frames of the page's own origin that it would show; none when they take no part. */
  readonly frameAddresses: readonly string[];
  readonly textLength: number;
  /** It holds scripts, which might write what is missing. */
  readonly hasScripts: boolean;
};

export function work(order: PageOrder): PageReading {
  const rawHtml = decodeText(order.bytes, order.contentType);
  if (hasTooManyElements(rawHtml))
    throw new Problem("invalid_request", { message: "The page has too many elements to be read." });
  const document = parsePage(rawHtml);
  const facts = factsOf(document);
  const hasScripts = document.querySelector("script") !== null;
  makeAddressesAbsolute(document, baseOf(document, order.url));
  const wanted = new Set(order.formats);
  const links = wanted.has("links") ? { links: linksOf(document) } : {};
  const images = wanted.has("images") ? { images: imagesOf(document) } : {};
  withoutExcluded(document, order.excludeTags);
  const { content, frameAddresses: addresses } = contentOf(document, order);
  return {
    contents: {
      ...(wanted.has("markdown") ? { markdown: toMarkdown(content) } : {}),
      ...(wanted.has("html") ? { html: content.innerHTML.trim() } : {}),
      ...(wanted.has("rawHtml") ? { rawHtml, raw_html: rawHtml } : {}),
      ...links,
      ...images,
    },
    facts,
    frameAddresses: addresses,
    textLength: textLength(content),
    hasScripts,
  };
}

type Content = Pick<PageReading, "frameAddresses"> & { readonly content: PageElement };

function contentOf(document: PageDocument, order: PageOrder): Content {
  const isMain = order.onlyMainContent && order.includeTags.length === 0;
  if (isMain) return mainPart(document, order);
  const addresses = order.onlyMainContent ? [] : frameAddresses(document, order.url, order);
  if (!order.onlyMainContent) insertFrames(document, order.frames, order);
  withoutExcluded(document, order.excludeTags);
  const chosen = order.includeTags.length === 0 ? undefined : chosenContent(document, order.includeTags);
  removeNoise(document);
  return { content: chosen ?? document.body, frameAddresses: addresses };
}

/** What the frames show comes after what the page itself says. */
function mainPart(document: PageDocument, order: PageOrder): Content {
  removeNoise(document);
  const addresses = frameAddresses(document, order.url, order);
  const shown = takeFrames(document, order.frames, order);
  const content = mainContent(document);
  content.append(...shown);
  return { content, frameAddresses: addresses };
}
