import type { ChromiumSettings } from "./chromium.ts";
import { readPage } from "./read-page.ts";
import type { PageParts, PageResult, PageVisit } from "./read-page.ts";
import { renderer } from "./renderer.ts";
import { Robots } from "./robots.ts";
import type { RobotsSettings } from "./robots.ts";

/** Reads one page, by the rules of its site. */
export type PageReader = (visit: PageVisit) => Promise<PageResult>;

export type PageReaderSettings = RobotsSettings &
  Pick<PageParts, "egress"> & { readonly chromium?: ChromiumSettings | undefined };

/** What is known of sites is kept for as long as the reader. */
export function pageReader({ egress, pool, clock, chromium }: PageReaderSettings): PageReader {
  const robots = new Robots({ egress, pool, clock });
  const rendering = chromium === undefined ? undefined : renderer({ egress, robots, chromium });
  const parts: PageParts = { egress, pool, robots, renderer: rendering };
  return (visit) => readPage(parts, visit);
}
