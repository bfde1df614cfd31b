import type { IncomingMessage, ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { pixelBytes, silentWav } from "./address-inputs.ts";
import { startNameServer } from "./egress-name-server.ts";
import { startCanary, startSite, writeForEver } from "./egress-sites.ts";
import type { Canary, Site } from "./egress-sites.ts";

/**
 * A small internet on loopback. The site at 127.0.0.2 plays the public part, because the operator opens it; on all
 * addresses of this machine, and at the site's port of 127.0.0.1, sit canaries that nobody may reach.
 */
export type OpenWeb = {
  readonly site: Site;
  readonly canary: Canary;
  /** As `dns.setServers` takes it. */
  readonly nameServer: string;
  /** Connections to canaries, ever. */
  touched(): number;
  /** What a name resolves to: the first for the first asking; the last stays. */
  names(name: string, ...answers: readonly (readonly string[])[]): void;
  stop(): Promise<void>;
};

export const openHost = "127.0.0.2";

export async function startOpenWeb(): Promise<OpenWeb> {
  const addressesOf = new Map<string, (readonly string[])[]>();
  const site = await startSite(answerOfSite, { host: openHost });
  const canary = await startCanary();
  const twin = await startCanary("127.0.0.1", site.port);
  const names = await startNameServer((name, kind) => {
    const answers = addressesOf.get(name) ?? [];
    const told = answers[0] ?? [];
    if (kind === "A" && answers.length > 1) answers.shift();
    return told;
  });
  return {
    site,
    canary,
    nameServer: names.address,
    touched: () => canary.connections() + twin.connections(),
    names: (name, ...answers) => void addressesOf.set(name, [...answers]),
    async stop() {
      await Promise.all([site, canary, twin, names].map((one) => one.stop()));
    },
  };
}

const page = `<title>Open</title><article><h1>Open</h1>${"<p>Anybody may read this page, whoever they are. </p>".repeat(20)}</article>`;
const bombBytes = 60 * 1024 * 1024;
const bomb = gzipSync(Buffer.alloc(bombBytes));
const endlessPiece = Buffer.alloc(256 * 1024, "x");

type Page = { readonly type: string; readonly body: string | Buffer; readonly coding?: string };

const pages: Readonly<Record<string, Page>> = {
  text: { type: "text/plain", body: "open to all" },
  pixel: { type: "image/png", body: pixelBytes() },
  wav: { type: "audio/wav", body: silentWav() },
  bomb: { type: "text/plain", body: bomb, coding: "gzip" },
};

/**
 * `/hops/<n>` redirects n times, from 0 on without end; `/go/<status>?to=` wherever it is told; `/vast` says that it is 10 GB,
 * `/drip` comes a byte at a time, `/hook` never takes what it is sent.
 */
function answerOfSite({ url = "" }: IncomingMessage, response: ServerResponse): void | Promise<void> {
  const { pathname, searchParams } = new URL(url, "http://site.test");
  const [, kind = "", detail = ""] = pathname.split("/");
  if (endless.has(kind)) return sendWithoutEnd(kind, response);
  const redirect = (status: number, location: string) => void response.writeHead(status, { location }).end();
  switch (kind) {
    case "robots.txt":
      return void response.writeHead(404).end();
    case "go":
      return redirect(Number(detail), searchParams.get("to") ?? "");
    case "hops":
      return redirect(302, detail === "1" ? "/text" : `/hops/${Number(detail) - 1}`);
    case "hook":
      return void response.writeHead(500).end();
    default:
      return send(pages[kind] ?? { type: "text/html", body: page }, response);
  }
}

const endless: ReadonlySet<string> = new Set(["vast", "drip", "endless"]);

function sendWithoutEnd(kind: string, response: ServerResponse): void | Promise<void> {
  if (kind === "vast") response.setHeader("content-length", 10 * 1024 ** 3);
  if (kind !== "drip") return writeForEver(response, endlessPiece);
  const timer = setInterval(() => response.write("x"), 1_000);
  response.on("close", () => clearInterval(timer));
}

function send({ type, body, coding }: Page, response: ServerResponse): void {
  const encoded = coding === undefined ? {} : { "content-encoding": coding };
  response.writeHead(200, { "content-type": type, ...encoded }).end(body);
}
