import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { chownSync, mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { isJsonObject } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";

export type ChromiumSettings = {
  readonly path: string;
  /** Default true. Containers that allow no namespaces of their own need false. */
  readonly hasSandbox?: boolean | undefined;
};

export type ChromiumEvent = { readonly method: string; readonly params: JsonObject };

type Waiting = { readonly resolve: (result: JsonObject) => void; readonly reject: (error: Error) => void };

/**
 * Nothing that the browser does by itself reaches a network: names resolve to nothing, and everything, loopback too,
 * goes to a proxy that is not there. What a page loads is handed to it over the pipe, or not at all.
 */
const isolated = [
  "--proxy-server=http://127.0.0.1:9",
  "--proxy-bypass-list=<-loopback>",
  "--host-resolver-rules=MAP * ~NOTFOUND",
  "--disable-quic",
  "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
];

/** One process for one page: nothing is shared between pages, and no port is opened to steer it. */
const usual = [
  "--headless",
  "--remote-debugging-pipe",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--mute-audio",
  "--hide-scrollbars",
  "--no-first-run",
  "--no-default-browser-check",
  "--disable-extensions",
  "--disable-default-apps",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-domain-reliability",
  "--disable-sync",
  "--disable-breakpad",
  "--disable-client-side-phishing-detection",
  "--block-new-web-contents",
  "--blink-settings=imagesEnabled=false",
  "--js-flags=--max-old-space-size=512",
  // Frames share their page's process, where their requests are seen.
  "--disable-site-isolation-trials",
  "--disable-features=IsolateOrigins,site-per-process,OptimizationHints,MediaRouter,Translate",
];

/** A page can grow to any size; beyond this nobody wants to read it. In UTF-16 units. */
const longestMessage = 64 * 1024 * 1024;

/** Unprivileged on every system that we know: root must not run what strangers wrote. */
const nobody = 65_534;

/** A browser and the pipe that steers it, in the DevTools protocol. */
export class Chromium {
  readonly #process: ChildProcess;
  readonly #profile: string;
  readonly #commands: Duplex;
  readonly #waiting = new Map<number, Waiting>();
  readonly #onEvent: (event: ChromiumEvent) => void;
  #lastId = 0;
  #end: Error | undefined;

  constructor({ path, hasSandbox = true }: ChromiumSettings, onEvent: (event: ChromiumEvent) => void) {
    this.#onEvent = onEvent;
    this.#profile = mkdtempSync(join(tmpdir(), `skillboss-chromium-${process.pid}-`));
    const isRoot = process.getuid?.() === 0;
    if (isRoot) chownSync(this.#profile, nobody, nobody);
    const flags = [...usual, ...isolated, `--user-data-dir=${this.#profile}`];
    this.#process = spawn(path, [...flags, ...(hasSandbox ? [] : ["--no-sandbox"]), "about:blank"], {
      stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
      // A page that breaks out finds no secret there.
      env: { PATH: "/usr/bin:/bin", HOME: this.#profile, TMPDIR: this.#profile },
      // Its own group, so that all of its processes can be ended at once.
      detached: true,
      ...(isRoot ? { uid: nobody, gid: nobody } : {}),
    });
    const [, , , commands, answers] = this.#process.stdio;
    // Both were asked for as pipes; the types do not know.
    this.#commands = commands as Duplex;
    this.#commands.on("error", (error) => this.#over(error));
    this.#process.on("error", (error) => this.#over(error));
    this.#process.on("exit", (code) => this.#over(new Error(`the browser ended with ${code}`)));
    void this.#listen(answers as Duplex).catch((error: unknown) =>
      this.#over(error instanceof Error ? error : new Error("the pipe broke")),
    );
  }

  send(method: string, params: JsonObject = {}, sessionId?: string): Promise<JsonObject> {
    return new Promise((resolve, reject) => {
      if (this.#end !== undefined) {
        reject(this.#end);
        return;
      }
      this.#lastId += 1;
      this.#waiting.set(this.#lastId, { resolve, reject });
      const command = { id: this.#lastId, method, params, ...(sessionId === undefined ? {} : { sessionId }) };
      this.#commands.write(`${JSON.stringify(command)}\0`);
    });
  }

  /** Ends all of its processes and takes away what they left. */
  async close(): Promise<void> {
    const { pid } = this.#process;
    this.#over(new Error("the browser was closed"));
    const isOver = this.#process.exitCode !== null || this.#process.signalCode !== null || pid === undefined;
    const ended = isOver
      ? undefined
      : new Promise((resolve) => {
          this.#process.once("exit", resolve);
        });
    if (pid !== undefined) endGroup(pid);
    await ended;
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  #over(error: Error): void {
    this.#end ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#end);
    this.#waiting.clear();
  }

  async #listen(answers: Duplex): Promise<void> {
    let pieces: string[] = [];
    let length = 0;
    for await (const piece of answers.setEncoding("utf8") as AsyncIterable<string>) {
      const [first = "", ...rest] = piece.split("\0");
      pieces.push(first);
      length = rest.length === 0 ? length + first.length : (rest.at(-1)?.length ?? 0);
      if (length > longestMessage) throw new Error("the browser says too much");
      for (const next of rest) {
        this.#hear(pieces.join(""));
        pieces = [next];
      }
    }
  }

  #hear(text: string): void {
    const message: unknown = JSON.parse(text);
    if (!isJsonObject(message)) return;
    const { id, method, params, result, error } = message;
    if (typeof method === "string") {
      this.#onEvent({ method, params: isJsonObject(params) ? params : {} });
      return;
    }
    const waiting = typeof id === "number" ? this.#waiting.get(id) : undefined;
    if (waiting === undefined || typeof id !== "number") return;
    this.#waiting.delete(id);
    if (isJsonObject(error)) waiting.reject(new Error(`the browser refused: ${String(error["message"])}`));
    else waiting.resolve(isJsonObject(result) ? result : {});
  }
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It is gone already.
  }
}
