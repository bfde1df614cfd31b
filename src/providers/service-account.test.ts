import assert from "node:assert/strict";
import { generateKeyPairSync, verify } from "node:crypto";
import { after, before, beforeEach, test } from "node:test";
import { startSite } from "../../tests/support/egress-sites.ts";
import type { Site, SiteAnswer } from "../../tests/support/egress-sites.ts";
import { TurnableClock } from "../core/clock.ts";
import { silentLog } from "../core/log.ts";
import { gather } from "./gather.ts";
import { ServiceAccount } from "./service-account.ts";
import { createUpstream } from "./upstream.ts";
import type { Connection, Upstream } from "./upstream.ts";

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const email = "robot@project.iam.example.com";

let tokens: Site;
let provider: Site;
let clock: TurnableClock;
let upstream: Upstream;
let issued: number;
let answer: SiteAnswer;

before(async () => {
  tokens = await startSite((request, response) => answer(request, response));
  provider = await startSite((_, response) => void response.end("{}"));
});
beforeEach(async () => {
  await upstream?.stop();
  clock = new TurnableClock();
  upstream = createUpstream({ log: silentLog, clock });
  issued = 0;
  answer = (_, response) => {
    issued += 1;
    response.end(
      JSON.stringify({ access_token: `token-${issued}`, expires_in: 3_600, token_type: "Bearer" }),
    );
  };
});
after(async () => {
  await upstream.stop();
  await Promise.all([tokens.stop(), provider.stop()]);
});

function connectionOf(more: object = {}): Connection {
  const keyText = JSON.stringify({
    type: "service_account",
    client_email: email,
    private_key: pem,
    token_uri: `${tokens.origin}/token`,
    ...more,
  });
  return {
    baseUrl: provider.origin,
    credential: new ServiceAccount(keyText, "https://example.com/auth/all"),
  };
}

/** What the provider saw as the credential. */
async function asked(connection: Connection): Promise<string | undefined> {
  await upstream.ready(connection);
  const request = { path: "/do", headers: {}, body: "{}" };
  await gather(upstream, { connection, request });
  return provider.visits.at(-1)?.headers.authorization;
}

test("the token is asked for with an assertion that the account's key has signed, RS256, for an hour", async () => {
  assert.equal(await asked(connectionOf()), "Bearer token-1");
  const visit = tokens.visits.at(-1);
  assert.deepEqual(
    [visit?.method, visit?.path, visit?.headers["content-type"], visit?.headers.authorization],
    ["POST", "/token", "application/x-www-form-urlencoded", undefined],
  );
  const form = new URLSearchParams(visit?.body);
  assert.equal(form.get("grant_type"), "urn:ietf:params:oauth:grant-type:jwt-bearer");
  const [header = "", claims = "", signature = ""] = form.get("assertion")?.split(".") ?? [];
  const read = (part: string): unknown => JSON.parse(Buffer.from(part, "base64url").toString());
  assert.deepEqual(read(header), { alg: "RS256", typ: "JWT" });
  const seconds = clock.now() / 1000;
  assert.deepEqual(read(claims), {
    iss: email,
    scope: "https://example.com/auth/all",
    aud: `${tokens.origin}/token`,
    iat: seconds,
    exp: seconds + 3_600,
  });
  const isGenuine = verify(
    "RSA-SHA256",
    Buffer.from(`${header}.${claims}`),
    publicKey,
    Buffer.from(signature, "base64url"),
  );
  assert.ok(isGenuine);
});

test("a token is used until two minutes before its end, then a new one is asked for", async () => {
  const connection = connectionOf();
  assert.equal(await asked(connection), "Bearer token-1");
  clock.turn({ seconds: 3_600 - 121 });
  assert.equal(await asked(connection), "Bearer token-1");
  clock.turn({ seconds: 1 });
  assert.equal(await asked(connection), "Bearer token-2");
  assert.equal(issued, 2);
});

test("many calls at once share one exchange", async () => {
  const connection = connectionOf();
  const worn = await Promise.all(Array.from({ length: 50 }, () => asked(connection)));
  assert.equal(issued, 1);
  assert.equal(new Set(worn).size, 1);
});

test("a refusal is told to everybody who waited, without key or assertion, and the next call asks again", async () => {
  const connection = connectionOf();
  const usual = answer;
  answer = (request, response) => {
    response.statusCode = 401;
    response.end(JSON.stringify({ error: "invalid_grant", error_description: `no ${request.url}` }));
  };
  const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => upstream.ready(connection)));
  for (const outcome of outcomes) {
    assert.equal(outcome.status, "rejected");
    assert.match(String(outcome.reason), /a token was refused with status 401/);
    assert.doesNotMatch(String(outcome.reason?.stack), /PRIVATE KEY|invalid_grant|assertion=/);
  }
  answer = usual;
  assert.equal(await asked(connection), "Bearer token-1");
});

test("an answer that is no token is a failure, and nothing is sent to the provider", async () => {
  const visits = provider.visits.length;
  for (const body of [
    ...["", "null", "[]", "{}", "<html>", '{"access_token":"","expires_in":60}', '{"access_token":"a"}'],
    ...['{"access_token":"a","expires_in":"60"}', '{"access_token":"a","expires_in":-1}', "x".repeat(70_000)],
  ]) {
    const connection = connectionOf();
    answer = (_, response) => void response.end(body);
    await assert.rejects(asked(connection), body.slice(0, 40));
  }
  answer = (_, response) => void response.destroy();
  await assert.rejects(asked(connectionOf()));
  await assert.rejects(asked(connectionOf({ token_uri: "http://127.0.0.1:1/token" })));
  assert.equal(provider.visits.length, visits);
});

test("the key goes nowhere; the token only to the provider, the assertion only where tokens come from", async () => {
  await asked(connectionOf());
  const [all, toProvider] = [
    JSON.stringify([tokens.visits, provider.visits]),
    JSON.stringify(provider.visits),
  ];
  assert.ok(!all.includes(pem.split("\n")[1] ?? "?"));
  assert.doesNotMatch(toProvider, /assertion/);
  assert.doesNotMatch(JSON.stringify(tokens.visits), /token-1/);
});

test("a key file that is none is told without repeating it", () => {
  for (const text of [
    "",
    "{",
    "null",
    '"x"',
    JSON.stringify({ client_email: email, private_key: "s3cret" }),
  ]) {
    assert.throws(
      () => new ServiceAccount(text, "all"),
      ({ message }: Error) =>
        /want a service account's key file/.test(message) && !message.includes("s3cret"),
    );
  }
});
