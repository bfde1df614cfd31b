import { createPrivateKey, createSign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { z } from "zod";

const keyFile = z.looseObject({
  client_email: z.string().min(1),
  private_key: z.string().includes("PRIVATE KEY"),
  token_uri: z.url({ protocol: /^https?$/ }).default("https://oauth2.googleapis.com/token"),
});

const assertionSeconds = 3_600;
/** A token is renewed this long before its end. */
const marginMs = 120_000;

/** A Google service account: its key signs a request for a token of an hour, which is then worn as a bearer. */
export class ServiceAccount {
  readonly tokenUrl: URL;
  readonly #email: string;
  readonly #privateKey: KeyObject;
  readonly #scope: string;
  #token = "";
  #goodUntil = 0;
  /** The exchange that is under way, so that many calls share it. */
  renewing: Promise<void> | undefined;

  /** `keyText` is the key file's JSON. Throws an error that does not repeat it. */
  constructor(keyText: string, scope: string) {
    const read = keyFile.safeParse(parsed(keyText));
    const privateKey = read.success ? keyOf(read.data.private_key) : undefined;
    if (!read.success || privateKey === undefined)
      throw new Error("want a service account's key file as JSON text");
    this.#email = read.data.client_email;
    this.#privateKey = privateKey;
    this.tokenUrl = new URL(read.data.token_uri);
    this.#scope = scope;
  }

  /** The bearer token; undefined when a new one is needed. */
  tokenAt(now: number): string | undefined {
    return now < this.#goodUntil ? this.#token : undefined;
  }

  /** The form to post to `tokenUrl`. */
  exchangeForm(now: number): string {
    const seconds = Math.floor(now / 1000);
    const claims = {
      iss: this.#email,
      scope: this.#scope,
      aud: this.tokenUrl.href,
      iat: seconds,
      exp: seconds + assertionSeconds,
    };
    const unsigned = `${base64url({ alg: "RS256", typ: "JWT" })}.${base64url(claims)}`;
    const signature = createSign("RSA-SHA256").update(unsigned).sign(this.#privateKey, "base64url");
    return new URLSearchParams({
      grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
      assertion: `${unsigned}.${signature}`,
    }).toString();
  }

  take(answer: unknown, now: number): void {
    const read = z
      .looseObject({ access_token: z.string().min(1), expires_in: z.number().positive() })
      .parse(answer);
    this.#token = read.access_token;
    this.#goodUntil = now + read.expires_in * 1000 - marginMs;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function keyOf(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

function base64url(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
