import assert from "node:assert/strict";
import { createHash, createHmac, generateKeyPairSync } from "node:crypto";
import type { Hash, Hmac } from "node:crypto";
import { test } from "node:test";
import { SignatureV4 } from "@smithy/signature-v4";
import { seededRandom } from "../../tests/support/seeded-random.ts";
import { wear } from "./credentials.ts";
import type { Bare, SigningKey } from "./credentials.ts";
import { ServiceAccount } from "./service-account.ts";

const bare: Bare = {
  method: "POST",
  host: "api.example.com",
  target: "/v1/do",
  body: "{}",
  now: Date.UTC(2026, 10, 25, 19, 30),
};

test("without a credential nothing is added; a header is worn as it is, its name in lower case", () => {
  assert.deepEqual(wear(undefined, bare), { target: "/v1/do", headers: {} });
  assert.deepEqual(wear({ header: "X-Api-Key", value: "Key s3cret" }, bare), {
    target: "/v1/do",
    headers: { "x-api-key": "Key s3cret" },
  });
});

test("a credential of the query joins what is there, percent-encoded, and is in no header", () => {
  const credential = { query: "api key", value: "a&b=c d#é" };
  const encoded = "api%20key=a%26b%3Dc%20d%23%C3%A9";
  assert.deepEqual(wear(credential, bare), { target: `/v1/do?${encoded}`, headers: {} });
  const worn = wear(credential, { ...bare, target: "/v1/do?q=1" });
  assert.equal(worn.target, `/v1/do?q=1&${encoded}`);
  assert.equal(new URL(worn.target, "http://x").searchParams.get("api key"), credential.value);
});

/** From "Authenticating Requests: Using the Authorization Header", Amazon S3's reference; an example, no secret. */
const published: SigningKey = {
  service: "s3",
  region: "us-east-1",
  accessKey: "AKIAIOSFODNN7EXAMPLE",
  secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};

test("AWS Signature Version 4 is as in AWS's own published example", () => {
  const { headers } = wear(published, {
    method: "GET",
    host: "examplebucket.s3.amazonaws.com",
    target: "/?max-keys=2&prefix=J",
    body: undefined,
    now: Date.UTC(2013, 4, 24),
  });
  assert.deepEqual(headers, {
    authorization:
      "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, " +
      "SignedHeaders=host;x-amz-content-sha256;x-amz-date, " +
      "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
    "x-amz-content-sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "x-amz-date": "20130524T000000Z",
  });
});

/** What AWS's signer wants of a hash. */
class Sha256 {
  readonly #hash: Hash | Hmac;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", bytesOf(secret));
  }
  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data));
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
  reset(): void {}
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Buffer {
  if (typeof data === "string") return Buffer.from(data);
  return ArrayBuffer.isView(data)
    ? Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    : Buffer.from(data);
}

async function signedByAws(key: SigningKey, asked: Bare): Promise<Readonly<Record<string, string>>> {
  const signer = new SignatureV4({
    service: key.service,
    region: key.region,
    credentials: {
      accessKeyId: key.accessKey,
      secretAccessKey: key.secret,
      ...(key.sessionToken === undefined ? {} : { sessionToken: key.sessionToken }),
    },
    sha256: Sha256,
  });
  const url = new URL(`https://${asked.host}${asked.target}`);
  const { headers } = await signer.sign(
    {
      method: asked.method,
      protocol: "https:",
      hostname: asked.host,
      path: asked.target.split("?", 1)[0] ?? "/",
      query: Object.fromEntries(url.searchParams),
      headers: { host: asked.host },
      body: asked.body,
    },
    { signingDate: new Date(asked.now) },
  );
  return headers;
}

test("AWS Signature Version 4 is what AWS's own signer makes of the same request", async () => {
  const random = seededRandom(20261125);
  const oneOf = <One>(all: readonly [One, ...One[]]): One => all[Math.floor(random() * all.length)] ?? all[0];
  const words = ["a", "Z9", "é", "a b", "x/y", "1%2", "*'()!", "~._-", "+", "=&", "漢字"] as const;
  for (let tries = 0; tries < 300; tries += 1) {
    const segments = Array.from({ length: Math.floor(random() * 4) }, () => encodeURIComponent(oneOf(words)));
    // As our endpoints write a query: names of letters, values encoded.
    const query = ["Action", "limit", "version"]
      .filter(() => random() < 0.5)
      .map((name) => `${name}=${encodeURIComponent(oneOf(["1", "a b", "x/y", "é", "2010-12-01"]))}`)
      .join("&");
    const asked: Bare = {
      method: oneOf(["GET", "POST", "PUT", "DELETE"]),
      host: oneOf(["email.us-east-1.amazonaws.com", "polly.eu-west-3.amazonaws.com", "127.0.0.1:4566"]),
      target: `/${segments.join("/")}${query === "" ? "" : `?${query}`}`,
      body: oneOf([undefined, "", '{"é":1}', Buffer.from([0, 255, 128])]),
      now: Date.UTC(2026, 0, 1) + Math.floor(random() * 3e10),
    };
    const key: SigningKey = {
      service: oneOf(["ses", "polly", "bedrock"]),
      region: oneOf(["us-east-1", "eu-west-3"]),
      accessKey: "AKIDEXAMPLE",
      secret: oneOf(["wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "é ü"]),
      sessionToken: oneOf([undefined, "FwoGZXIvYXdzEBYaD+/temporary=="]),
    };
    const { host: _, ...theirs } = await signedByAws(key, asked);
    assert.deepEqual(wear(key, asked).headers, theirs, JSON.stringify(asked));
  }
});

test("a signed token says who issued it and until when, and is signed with HS256", () => {
  const { target, headers } = wear({ issuer: "access-key", secret: "s3cret" }, bare);
  const [, token = ""] = (headers["authorization"] ?? "").split("Bearer ");
  const [header = "", claims = "", signature] = token.split(".");
  const read = (part: string): unknown => JSON.parse(Buffer.from(part, "base64url").toString());
  assert.equal(target, bare.target);
  assert.deepEqual(read(header), { alg: "HS256", typ: "JWT" });
  const seconds = bare.now / 1000;
  assert.deepEqual(read(claims), { iss: "access-key", exp: seconds + 1_800, nbf: seconds - 5 });
  assert.equal(signature, createHmac("sha256", "s3cret").update(`${header}.${claims}`).digest("base64url"));
  assert.ok(!JSON.stringify(headers).includes("s3cret"));
});

test("a service account whose token was not asked for sends nothing", () => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const keyText = JSON.stringify({
    client_email: "a@example.com",
    private_key: privateKey.export({ type: "pkcs8", format: "pem" }),
  });
  assert.throws(() => wear(new ServiceAccount(keyText, "all"), bare), TypeError);
});
