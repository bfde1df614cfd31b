import { isJsonObject } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";
import type { Egress, EgressAnswer } from "../../egress/egress.ts";
import type { Robots } from "./robots.ts";
import { Turns } from "./turns.ts";

/** Tells the browser: `Fetch.fulfillRequest` and the like. */
export type Steer = (method: string, params: JsonObject) => Promise<unknown>;

export type PageNetworkSettings = {
  readonly egress: Pick<Egress, "fetch">;
  readonly robots: Robots;
  /** The page, and what is sent with it, but neither with what it loads nor to another origin. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly param: string;
};

/** What one page may load. */
const mostRequests = 300;
const mostBytes = 40 * 1024 * 1024;
const mostBytesEach = 10 * 1024 * 1024;
const mostAtOnce = 6;

/** Not needed for what a page says. */
const skipped: ReadonlySet<string> = new Set(
  "Image Media Font TextTrack Ping CSPViolationReport Prefetch Manifest Other".split(" "),
);

type PausedRequest = {
  readonly id: string;
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** As the browser calls it: `Document`, `Script`, `Fetch`, … */
  readonly kind: string;
  readonly frame: string;
};

/**
 * Loads what a page in the browser asks for, through the guarded way out: each address, redirects included, is judged
 * as if the customer had named it, and documents by their site's robots.txt as well.
 */
export class PageNetwork {
  readonly #settings: PageNetworkSettings;
  readonly #steer: Steer;
  /** The frame whose document is the page. */
  mainFrame = "";
  /** How the page's own address answered last. */
  main: { readonly status: number; readonly url: string } | undefined;
  /** Why the page itself could not be loaded. */
  failure: Error | undefined;
  readonly #turns = new Turns({ atOnce: mostAtOnce });
  #requests = 0;
  #bytes = 0;
  #open = 0;
  #idleSince = performance.now();

  constructor(settings: PageNetworkSettings, steer: Steer) {
    this.#settings = settings;
    this.#steer = steer;
  }

  /** Milliseconds since the last load ended; 0 while one is going on. */
  get idleMs(): number {
    return this.#open > 0 ? 0 : performance.now() - this.#idleSince;
  }

  async take(params: JsonObject): Promise<void> {
    const request = pausedRequest(params);
    this.#open += 1;
    try {
      await this.#turns.take(this.#settings.signal, () => this.#answer(request));
    } catch (error) {
      if (this.#isMain(request)) this.failure ??= error instanceof Error ? error : new Error(String(error));
      await this.#refuse(request, "Failed");
    } finally {
      this.#open -= 1;
      this.#idleSince = performance.now();
    }
  }

  async #answer(request: PausedRequest): Promise<void> {
    const { id, kind, method } = request;
    this.#requests += 1;
    if (kind === "Stylesheet") {
      await this.#fulfill(id, {
        status: 200,
        headers: { "content-type": "text/css" },
        bytes: Buffer.alloc(0),
      });
      return;
    }
    const isAsked = method === "GET" || method === "HEAD" || method === "POST";
    if (skipped.has(kind) || !isAsked || this.#requests > mostRequests || this.#bytes > mostBytes) {
      await this.#refuse(request, "BlockedByClient");
      return;
    }
    const answer = await this.#load(request, method);
    this.#bytes += answer.bytes.length;
    if (this.#isMain(request)) this.main = { status: answer.status, url: answer.url };
    await this.#fulfill(id, answer);
  }

  async #load(request: PausedRequest, method: "GET" | "HEAD" | "POST"): Promise<EgressAnswer> {
    const { egress, robots, timeoutMs, signal, param, ...page } = this.#settings;
    const { url, headers, body, kind } = request;
    const isOwn = this.#isMain(request) && new URL(url).origin === new URL(page.url).origin;
    if (kind === "Document") await robots.check({ url, timeoutMs, signal, param });
    return egress.fetch({
      url,
      method,
      headers: { ...headers, ...(isOwn ? page.headers : {}) },
      body,
      maxBytes: mostBytesEach,
      timeoutMs,
      // The browser follows them itself, and asks again for each.
      maxRedirects: 0,
      signal,
    });
  }

  async #fulfill(
    id: string,
    { status, headers, bytes }: Pick<EgressAnswer, "status" | "headers" | "bytes">,
  ): Promise<void> {
    await this.#steer("Fetch.fulfillRequest", {
      requestId: id,
      responseCode: status,
      responseHeaders: Object.entries(headers).map(([name, value]) => ({ name, value })),
      body: bytes.toString("base64"),
    });
  }

  async #refuse({ id }: PausedRequest, errorReason: "Failed" | "BlockedByClient"): Promise<void> {
    try {
      await this.#steer("Fetch.failRequest", { requestId: id, errorReason });
    } catch {
      // The page that asked is gone.
    }
  }

  #isMain({ kind, frame }: PausedRequest): boolean {
    return kind === "Document" && frame === this.mainFrame;
  }
}

function pausedRequest({ requestId, request, resourceType, frameId }: JsonObject): PausedRequest {
  const { url, method, headers, postData } = isJsonObject(request) ? request : {};
  const named = Object.entries(isJsonObject(headers) ? headers : {});
  return {
    id: String(requestId),
    url: String(url),
    method: String(method),
    headers: Object.fromEntries(named.map(([name, value]) => [name, String(value)])),
    body: typeof postData === "string" ? postData : undefined,
    kind: String(resourceType),
    frame: String(frameId),
  };
}
