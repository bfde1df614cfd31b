import { Problem } from "../../core/problems.ts";
import type { ChromiumSettings } from "./chromium.ts";
import type { FetchedPage } from "./fetch-page.ts";
import type { PageNetworkSettings } from "./page-network.ts";
import { renderPage } from "./render-page.ts";
import type { RenderRequest } from "./render-page.ts";
import { Turns } from "./turns.ts";

/** Lets the scripts of pages run, in a browser of this machine. */
export type Renderer = { readonly render: (request: RenderRequest) => Promise<FetchedPage> };

export type RendererSettings = Pick<PageNetworkSettings, "egress" | "robots"> & {
  readonly chromium: ChromiumSettings;
};

/** Browsers at once; each takes some hundred megabytes. */
const browsers = 2;
/** Pages that wait for one. */
const mostWaiting = 20;

export function renderer(settings: RendererSettings): Renderer {
  const full = (): Problem =>
    new Problem("service_unavailable", { message: "The browsers are busy. Try again shortly." });
  const turns = new Turns({ atOnce: browsers, mostWaiting, full });
  return { render: (request) => turns.take(request.signal, () => renderPage(request, settings)) };
}
