import { Problem } from "../../core/problems.ts";
import type { ChromiumSettings } from "./chromium.ts";
import type { FetchedPage } from "./fetch-page.ts";
import type { PageNetworkSettings } from "./page-network.ts";
import { renderPage } from "./render-page.ts";
import type { RenderRequest } from "./render-page.ts";

/** Lets the scripts of pages run, in a browser of this machine. */
export type Renderer = { readonly render: (request: RenderRequest) => Promise<FetchedPage> };

export type RendererSettings = Pick<PageNetworkSettings, "egress" | "robots"> & {
  readonly chromium: ChromiumSettings;
  /** Browsers at once; each takes some hundred megabytes. */
  readonly browsers: number;
};

/** Pages that wait for a browser; one more is refused. */
const mostWaiting = 20;

export function renderer(settings: RendererSettings): Renderer {
  let free = settings.browsers;
  const waiting: (() => void)[] = [];
  const leave = (): void => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };
  const enter = async (signal: AbortSignal): Promise<void> => {
    if (free > 0) {
      free -= 1;
      return;
    }
    if (waiting.length >= mostWaiting)
      throw new Problem("service_unavailable", { message: "The browsers are busy. Try again shortly." });
    await new Promise<void>((resolve, reject) => {
      const start = (): void => {
        signal.removeEventListener("abort", giveUp);
        resolve();
      };
      const giveUp = (): void => {
        waiting.splice(waiting.indexOf(start), 1);
        reject(signal.reason);
      };
      waiting.push(start);
      signal.addEventListener("abort", giveUp, { once: true });
    });
  };
  return {
    render: async (request) => {
      request.signal.throwIfAborted();
      await enter(request.signal);
      try {
        return await renderPage(request, settings);
      } finally {
        leave();
      }
    },
  };
}
