import { named } from "../parse/document.ts";
import type { WorkerCode } from "../worker-pool.ts";
import { fetchAllowed } from "./fetch-allowed.ts";
import type { FetchedPage } from "./fetch-page.ts";
import type { PageOrder, PageReading, PageSource, work } from "./page-task.ts";
import type { PageParts, PageVisit } from "./read-page.ts";

const reading: WorkerCode<typeof work> = { url: new URL("./page-task.ts", import.meta.url) };

type Frame = PageOrder["frames"][number];

/** What a page of HTML says, with what it shows in frames of its own site. */
export async function readHtml(page: FetchedPage, parts: PageParts, visit: PageVisit): Promise<PageReading> {
  const first = await readOnce(page, [], { parts, visit });
  if (first.frameAddresses.length === 0) return first;
  const frames = await Promise.all(first.frameAddresses.map((address) => fetchFrame(address, parts, visit)));
  const found = frames.filter((frame) => frame !== undefined);
  return found.length === 0 ? first : readOnce(page, found, { parts, visit });
}

async function readOnce(
  { bytes, contentType, url }: PageSource,
  frames: readonly Frame[],
  { parts, visit }: { readonly parts: PageParts; readonly visit: PageVisit },
): Promise<PageReading> {
  const { formats, onlyMainContent, includeTags, excludeTags } = visit.wishes;
  const input: PageOrder = {
    bytes,
    contentType,
    url,
    formats,
    onlyMainContent,
    includeTags,
    excludeTags,
    frames,
  };
  try {
    return await parts.pool.run(reading, { input, signal: visit.signal, param: visit.param });
  } catch (error) {
    throw named(error, visit.param);
  }
}

/** Undefined when it cannot be had: a page is worth reading without one of its frames. */
async function fetchFrame(address: string, parts: PageParts, visit: PageVisit): Promise<Frame | undefined> {
  const { wishes, signal, param } = visit;
  const { headers, isMobile, timeoutMs } = wishes;
  const request = { url: address, headers, isMobile, timeoutMs, signal, param };
  try {
    const { bytes, contentType, url, status } = await fetchAllowed(parts, request);
    if (status >= 400 || new URL(url).origin !== new URL(address).origin) return undefined;
    return { address, bytes, contentType, url };
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}
