import { createHash, createHmac } from "node:crypto";
import { ServiceAccount } from "./service-account.ts";

/** What opens a provider's door. Never logged, never part of an error, never sent to another origin. */
export type Credential =
  | PlainHeader
  | { readonly query: string; readonly value: string }
  | SigningKey
  | TokenIssuer
  | ServiceAccount;

export type PlainHeader = { readonly header: string; readonly value: string };

/** AWS Signature Version 4. */
export type SigningKey = {
  readonly service: string;
  readonly region: string;
  readonly accessKey: string;
  readonly secret: string;
  /** Comes with temporary credentials, and is signed with the rest. */
  readonly sessionToken?: string | undefined;
};

/** A token of half an hour that is signed here, HS256, and worn as a bearer. */
export type TokenIssuer = { readonly issuer: string; readonly secret: string };

/** The request as it goes out, before the credential. `target` is path and query. */
export type Bare = {
  readonly method: string;
  readonly host: string;
  readonly target: string;
  readonly body: string | Buffer | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
};

/** What the credential adds to a request. Names are lower-case. */
export type Worn = { readonly target: string; readonly headers: Readonly<Record<string, string>> };

export function wear(credential: Credential | undefined, bare: Bare): Worn {
  const { target } = bare;
  if (credential === undefined) return { target, headers: noHeaders };
  if ("header" in credential) return { target, headers: plainHeader(credential) };
  if ("query" in credential) {
    const joint = target.includes("?") ? "&" : "?";
    const worn = `${encodeURIComponent(credential.query)}=${encodeURIComponent(credential.value)}`;
    return { target: target + joint + worn, headers: noHeaders };
  }
  if (credential instanceof ServiceAccount) {
    const token = credential.tokenAt(bare.now);
    if (token === undefined) throw new TypeError("the service account's token was not asked for");
    return { target, headers: { authorization: `Bearer ${token}` } };
  }
  if ("service" in credential) return { target, headers: signatureHeaders(credential, bare) };
  return { target, headers: { authorization: `Bearer ${tokenOf(credential, bare.now)}` } };
}

const noHeaders: Worn["headers"] = Object.freeze({});
const plainHeaders = new WeakMap<PlainHeader, Worn["headers"]>();

/** The same frozen object for the same credential: what cannot change needs no second check. */
function plainHeader(credential: PlainHeader): Worn["headers"] {
  const known = plainHeaders.get(credential);
  if (known !== undefined) return known;
  const headers = Object.freeze({ [credential.header.toLowerCase()]: credential.value });
  plainHeaders.set(credential, headers);
  return headers;
}

const algorithm = "AWS4-HMAC-SHA256";

/** AWS: "Create a signed AWS API request". Host, date and session token are what is signed besides the body. */
function signatureHeaders(key: SigningKey, bare: Bare): Record<string, string> {
  const time = `${new Date(bare.now).toISOString().replaceAll(/[-:]/g, "").slice(0, 15)}Z`;
  const day = time.slice(0, 8);
  const scope = `${day}/${key.region}/${key.service}/aws4_request`;
  const bodyHash = sha256(bare.body ?? "");
  const [path = "/", query = ""] = bare.target.split("?", 2);
  const { sessionToken } = key;
  const added = {
    "x-amz-content-sha256": bodyHash,
    "x-amz-date": time,
    ...(sessionToken === undefined ? {} : { "x-amz-security-token": sessionToken }),
  };
  const signedHeaders = Object.entries({ host: bare.host, ...added });
  const names = signedHeaders.map(([name]) => name).join(";");
  const canonical = [
    bare.method,
    path.split("/").map(encodeAgain).join("/"),
    query.split("&").sort().join("&"),
    signedHeaders.map(([name, value]) => `${name}:${value}\n`).join(""),
    names,
    bodyHash,
  ].join("\n");
  const toSign = [algorithm, time, scope, sha256(canonical)].join("\n");
  const signingKey = [day, key.region, key.service, "aws4_request"].reduce<Buffer>(
    (secret, part) => hmac(secret, part),
    Buffer.from(`AWS4${key.secret}`),
  );
  const signature = hmac(signingKey, toSign).toString("hex");
  const credential = `Credential=${key.accessKey}/${scope}`;
  return {
    authorization: `${algorithm} ${credential}, SignedHeaders=${names}, Signature=${signature}`,
    ...added,
  };
}

/** All services but S3 sign the path encoded once more than it is sent. */
function encodeAgain(segment: string): string {
  return encodeURIComponent(segment).replaceAll(
    /[!'()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

const tokenSeconds = 1_800;
/** Clocks differ a little: the token was valid a moment ago already. */
const skewSeconds = 5;

function tokenOf({ issuer, secret }: TokenIssuer, now: number): string {
  const seconds = Math.floor(now / 1000);
  const header = base64url({ alg: "HS256", typ: "JWT" });
  const claims = base64url({ iss: issuer, exp: seconds + tokenSeconds, nbf: seconds - skewSeconds });
  const signature = createHmac("sha256", secret).update(`${header}.${claims}`).digest("base64url");
  return `${header}.${claims}.${signature}`;
}

function base64url(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function sha256(data: string | Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}

function hmac(key: Buffer, data: string): Buffer {
  return createHmac("sha256", key).update(data).digest();
}
