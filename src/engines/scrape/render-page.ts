import type { JsonObject } from "../../core/json-object.ts";
import { isJsonObject } from "../../core/json-object.ts";
import { Problem } from "../../core/problems.ts";
import { Chromium } from "./chromium.ts";
import type { ChromiumSettings } from "./chromium.ts";
import { fetchProblem, userAgentOf } from "./fetch-page.ts";
import type { FetchedPage, PageRequest } from "./fetch-page.ts";
import { PageNetwork } from "./page-network.ts";
import type { PageNetworkSettings } from "./page-network.ts";
import { PageQuiet } from "./page-quiet.ts";
import type { PageSize } from "./page-quiet.ts";

export type RenderRequest = PageRequest & {
  /** After the page has loaded and is quiet. */
  readonly waitForMs: number;
};

type Parts = Pick<PageNetworkSettings, "egress" | "robots"> & { readonly chromium: ChromiumSettings };

/** A page that never is quiet is read as it stands. */
const mostUnquietMs = 8_000;
const lookEveryMs = 50;
/** What of it is text that one would read, and how many elements there are. */
const sizes =
  'document.body ? [document.body.innerText.length, document.getElementsByTagName("*").length] : [0, 0]';
const mostCharacters = 20_000_000;
const phone = { width: 412, height: 915, deviceScaleFactor: 1, mobile: true };

/** The page as it stands once its scripts have run. Throws a `Problem` that names the input. */
export async function renderPage(request: RenderRequest, parts: Parts): Promise<FetchedPage> {
  const { signal } = request;
  const tab = new Tab(request, parts);
  const leave = (): void => void tab.close();
  signal.addEventListener("abort", leave, { once: true });
  try {
    signal.throwIfAborted();
    return await tab.read();
  } catch (error) {
    signal.throwIfAborted();
    if (tab.failure !== undefined) throw fetchProblem(tab.failure, request);
    throw new Problem("service_unavailable", {
      message: "The browser that renders pages failed.",
      param: "render",
      cause: error,
    });
  } finally {
    signal.removeEventListener("abort", leave);
    await tab.close();
  }
}

class Tab {
  readonly #request: RenderRequest;
  readonly #chromium: Chromium;
  readonly #network: PageNetwork;
  #session: string | undefined;
  #hasLoaded = false;
  #closing: Promise<void> | undefined;

  constructor(request: RenderRequest, { chromium, egress, robots }: Parts) {
    this.#request = request;
    this.#network = new PageNetwork({ ...request, egress, robots }, (method, params) =>
      this.#send(method, params),
    );
    this.#chromium = new Chromium(chromium, ({ method, params }) => this.#hear(method, params));
  }

  /** Why the page itself could not be loaded. */
  get failure(): Error | undefined {
    return this.#network.failure;
  }

  async read(): Promise<FetchedPage> {
    await this.#prepare();
    const { errorText } = await this.#send("Page.navigate", { url: this.#request.url });
    if (typeof errorText === "string") throw new Error(errorText);
    await this.#untilQuiet();
    await waited(this.#request.waitForMs, this.#request.signal);
    if (this.failure !== undefined) throw this.failure;
    const html = await this.#html();
    const { status = 200, url = this.#request.url } = this.#network.main ?? {};
    const bytes = Buffer.from(html.slice(0, mostCharacters), "utf8");
    return { url, status, headers: {}, bytes, contentType: "text/html; charset=utf-8" };
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#chromium.close());
  }

  async #prepare(): Promise<void> {
    const { targetId } = await this.#chromium.send("Target.createTarget", { url: "about:blank" });
    const attached = await this.#chromium.send("Target.attachToTarget", { targetId, flatten: true });
    this.#session = String(attached["sessionId"]);
    await this.#send("Fetch.enable", { patterns: [{ urlPattern: "*" }] });
    await this.#send("Page.enable");
    await this.#send("Network.setBypassServiceWorker", { bypass: true }).catch(() => undefined);
    await this.#send("Emulation.setUserAgentOverride", { userAgent: userAgentOf(this.#request.isMobile) });
    if (this.#request.isMobile) await this.#send("Emulation.setDeviceMetricsOverride", phone);
    const { frameTree } = await this.#send("Page.getFrameTree");
    const frame = isJsonObject(frameTree) && isJsonObject(frameTree["frame"]) ? frameTree["frame"] : {};
    this.#network.mainFrame = String(frame["id"]);
  }

  #hear(method: string, params: JsonObject): void {
    if (method === "Fetch.requestPaused") void this.#network.take(params);
    if (method === "Page.loadEventFired") this.#hasLoaded = true;
    // A dialog would keep the page waiting for somebody.
    if (method === "Page.javascriptDialogOpening")
      void this.#send("Page.handleJavaScriptDialog", { accept: false }).catch(() => undefined);
  }

  async #untilQuiet(): Promise<void> {
    const begun = performance.now();
    // Who says how long to wait is not waited for twice.
    const quiet = new PageQuiet(this.#request.waitForMs > 0 ? 0 : undefined);
    while (this.failure === undefined) {
      if (this.#hasLoaded) {
        const now = performance.now();
        const size = await this.#textSize();
        if (quiet.isReached({ now, size, networkIdleMs: this.#network.idleMs })) return;
        if (now - begun > mostUnquietMs) return;
      }
      await waited(lookEveryMs, this.#request.signal);
    }
  }

  async #textSize(): Promise<PageSize> {
    const asked = { expression: sizes, returnByValue: true };
    // A page that is just leaving for another says nothing.
    const { result } = await this.#send("Runtime.evaluate", asked).catch((): JsonObject => ({}));
    const value: unknown = isJsonObject(result) ? result["value"] : undefined;
    const [text, elements]: readonly unknown[] = Array.isArray(value) ? value : [];
    return { text: Number(text ?? 0), elements: Number(elements ?? 0) };
  }

  async #html(): Promise<string> {
    const { root } = await this.#send("DOM.getDocument", { depth: 0 });
    const nodeId = isJsonObject(root) ? root["nodeId"] : undefined;
    const { outerHTML } = await this.#send("DOM.getOuterHTML", { nodeId });
    return typeof outerHTML === "string" ? outerHTML : "";
  }

  #send(method: string, params: JsonObject = {}): Promise<JsonObject> {
    return this.#chromium.send(method, params, this.#session);
  }
}

async function waited(ms: number, signal: AbortSignal): Promise<void> {
  if (ms === 0) return;
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end, { once: true });
  });
  signal.throwIfAborted();
}
