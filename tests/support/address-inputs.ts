import { readFileSync } from "node:fs";
import { join } from "node:path";

/** An input that names an address which this server itself fetches: the body of `POST /v1/run` with it. */
export type AddressInput = {
  readonly name: string;
  readonly body: (url: string) => {
    readonly model: string;
    readonly inputs: object;
    readonly webhook?: unknown;
  };
  /** What is no http(s) address has a wrong form there, before anybody judges where it leads. */
  readonly checksForm?: true;
};

const pixel =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/** Half a credit each: the engines' own models are free, and nobody could see what a refusal costs. */
export const paidEngines: Readonly<Record<string, unknown>> = Object.fromEntries(
  ["scrape", "parse", "image", "transcribe", "email"].map((name) => {
    const path = join(import.meta.dirname, "..", "..", "catalog", "models", "local", `${name}.json`);
    const facts = JSON.parse(readFileSync(path, "utf8"));
    const [rate] = facts.retail;
    const paid = { ...facts, id: `paid-${name}`, aliases: [], retail: [{ ...rate, usd: "0.025" }] };
    return [`models/test/paid-${name}.json`, paid];
  }),
);

const letter = { to: ["ada@example.org"], subject: "Hello", text: "Hello." };
const qr = { operation: "qr", text: "hello" };

export const addressInputs: readonly AddressInput[] = [
  { name: "webhook", body: (url) => ({ model: "paid-image", inputs: qr, webhook: url }) },
  { name: "webhook.url", body: (url) => ({ model: "paid-image", inputs: qr, webhook: { url } }) },
  { name: "url of local/scrape", body: (url) => ({ model: "paid-scrape", inputs: { url } }) },
  {
    name: "url of firecrawl/scrape",
    body: (url) => ({ model: "firecrawl/scrape", inputs: { url } }),
    checksForm: true,
  },
  {
    name: "document_url of local/parse",
    body: (url) => ({ model: "paid-parse", inputs: { document_url: url } }),
  },
  {
    name: "image of local/image",
    body: (url) => ({ model: "paid-image", inputs: { operation: "resize", width: 1, image: url } }),
    checksForm: true,
  },
  {
    name: "image_url of local/image",
    body: (url) => ({ model: "paid-image", inputs: { operation: "resize", width: 1, image_url: url } }),
    checksForm: true,
  },
  {
    name: "overlays of local/image",
    body: (url) => ({
      model: "paid-image",
      inputs: { operation: "compose", image: pixel, overlays: [{ image: url }] },
    }),
    checksForm: true,
  },
  {
    name: "audio_url of local/transcribe",
    body: (url) => ({ model: "paid-transcribe", inputs: { audio_url: url } }),
    checksForm: true,
  },
  {
    name: "image of google/veo-3.1",
    body: (url) => ({ model: "google/veo-3.1", inputs: { prompt: "A wave", duration: 4, image: url } }),
    checksForm: true,
  },
  {
    name: "url of an attachment of local/email",
    body: (url) => ({ model: "paid-email", inputs: { ...letter, attachments: [{ url }] } }),
    checksForm: true,
  },
];

/** A recording of a second of silence. */
export function silentWav(): Buffer {
  const samples = Buffer.alloc(16_000);
  const head = Buffer.alloc(44);
  head.write("RIFF", 0, "latin1");
  head.writeUInt32LE(36 + samples.length, 4);
  head.write("WAVEfmt ", 8, "latin1");
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(8_000, 24);
  head.writeUInt32LE(16_000, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write("data", 36, "latin1");
  head.writeUInt32LE(samples.length, 40);
  return Buffer.concat([head, samples]);
}

export function pixelBytes(): Buffer {
  return Buffer.from(pixel.slice(pixel.indexOf(",") + 1), "base64");
}

/**
 * Addresses that no customer may have fetched, on a port where somebody listens on all of this machine's addresses.
 * `own`: the other addresses of this machine.
 */
export function privateAddresses(port: number, own: readonly string[]): readonly string[] {
  const literals = [
    ...[
      "127.0.0.1",
      "127.8.9.10",
      "localhost",
      "localhost.",
      "a.localhost",
      "0.0.0.0",
      "10.0.0.1",
      "172.16.0.1",
    ],
    ...["192.168.0.1", "169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255", "[::1]", "[::]"],
    ...["[fd00::1]", "[fe80::1]", "[ff02::1]", "db", "metadata.google.internal", "printer.local"],
    ...own.map((address) => (address.includes(":") ? `[${address.split("%", 1)[0]}]` : address)),
  ];
  return literals.map((host) => `http://${host}:${port}/`);
}

/** The same machine in other spellings. */
export function encodedAddresses(port: number): readonly string[] {
  const hosts = [
    ...["2130706433", "0x7f000001", "0x7f.1", "017700000001", "0177.0.0.1", "127.1", "127.0.1", "0"],
    ...[
      "１２７.０.０.１",
      "①②⑦.⓪.⓪.①",
      "127。0。0。1",
      "127.0.0.1.",
      "%31%32%37.0.0.1",
      "LOCALHOST",
      "ⓛocalhost",
    ],
    ...["[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]"],
    ...["[0:0:0:0:0:0:0:1]", "user@127.0.0.1", "example.com@127.0.0.1", "user:secret@127.0.0.1"],
  ];
  return [
    ...hosts.map((host) => `http://${host}:${port}/`),
    `HTTP://127.0.0.1:${port}/`,
    `http:\\\\127.0.0.1:${port}\\`,
    `http:///127.0.0.1:${port}/`,
    `http://127.0.0.1:${port}\\@example.com/`,
    `http://127.0.0.1:${port}#@example.com/`,
    ` http://127.0.0.1:${port}/`,
    `ht\ntp://127.0.0.1:${port}/`,
  ];
}

/** Wrong however they are meant. `data:` is no address; where inputs may be within, it stands for what it holds. */
export const wrongSchemes: readonly string[] = [
  ...[
    "file:///etc/passwd",
    "ftp://example.com/a",
    "gopher://example.com/_x",
    "javascript:alert(1)",
    "jar:http://a/!/b",
  ],
  ...["blob:http://example.com/1", "about:blank", "ws://example.com/", "//example.com/", "", "x"],
];
/** Judged by their text: nobody is asked who example.com is. */
export const servicePorts: readonly string[] = [22, 25, 2375, 5432, 6379].map(
  (port) => `http://example.com:${port}/`,
);
