import { Problem } from "../../core/problems.ts";
import type { FetchedPage } from "./fetch-page.ts";
import { fewCharacters } from "./page-quiet.ts";
import type { PageReading } from "./page-task.ts";
import { readHtml } from "./read-html.ts";
import type { PageParts, PageVisit } from "./read-page.ts";

export type RenderedReading = { readonly reading: PageReading; readonly page: FetchedPage };

type Visiting = { readonly parts: PageParts; readonly visit: PageVisit };

/**
 * What the page says once its scripts have run, where the customer wants that or the page is empty without; otherwise,
 * and when a browser that nobody asked for fails, what it says as it was sent.
 */
export async function readRendered(
  sent: RenderedReading,
  { parts, visit }: Visiting,
): Promise<RenderedReading> {
  const { wishes, param, signal } = visit;
  const isWanted = wishes.render === true;
  if (!isWanted && !(parts.renderer !== undefined && wouldGain(sent, visit))) return sent;
  try {
    const { headers, isMobile, timeoutMs, waitForMs } = wishes;
    const { url } = sent.page;
    const request = { url, headers, isMobile, timeoutMs, waitForMs, param, signal };
    const page = await rendererOf(parts).render(request);
    return {
      reading: await readHtml(page, parts, visit),
      page: { ...page, contentType: sent.page.contentType },
    };
  } catch (error) {
    signal.throwIfAborted();
    if (isWanted) throw error;
    return sent;
  }
}

function wouldGain({ reading, page }: RenderedReading, { wishes }: PageVisit): boolean {
  if (wishes.render === false || page.status >= 400) return false;
  return wishes.waitForMs > 0 || (reading.hasScripts && reading.textLength < fewCharacters);
}

function rendererOf({ renderer }: PageParts): NonNullable<PageParts["renderer"]> {
  if (renderer !== undefined) return renderer;
  throw new Problem("provider_not_configured", {
    message:
      "This server has no browser to render pages with: install Chromium, or name one in SKILLBOSS_CHROMIUM.",
    param: "render",
  });
}
