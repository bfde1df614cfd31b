import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../tests/support/seeded-random.ts";
import { follow } from "./trusted-addresses.ts";
import type { Connection } from "./upstream.ts";
import { readBaseUrl, requestTarget } from "./upstream-address.ts";

const credential = { header: "Authorization", value: "Bearer s3cret" };
const connection: Connection = { baseUrl: "https://api.bfl.ai/v1", credential };
const trusted = ["files.bfl.ai", "*.delivery.bfl.ai"];

function reached(url: string, from: Connection = connection): string | undefined {
  const followed = follow(from, trusted, url);
  return followed && followed.connection.baseUrl + followed.path;
}

test("the credential follows to the provider's own origin, whatever the path, and to its trusted hosts over https", () => {
  for (const url of [
    "https://api.bfl.ai/v1/result?id=1&next=2",
    "https://api.bfl.ai/other/place",
    "https://API.BFL.AI/v1/",
    "https://api.bfl.ai:443/v1",
    "https://files.bfl.ai/a.png",
    "https://eu.delivery.bfl.ai/a/b.png?sig=x",
    "https://a.b.delivery.bfl.ai/",
  ])
    assert.equal(reached(url), new URL(url).href, url);
  const { connection: followed } = follow(connection, trusted, "https://files.bfl.ai/a#part") ?? {};
  assert.deepEqual(followed, { baseUrl: "https://files.bfl.ai", credential });
});

test("an own origin with a port, and without TLS, is this very one", () => {
  const local: Connection = { baseUrl: "http://127.0.0.1:8080/x", credential };
  assert.equal(reached("http://127.0.0.1:8080/file", local), "http://127.0.0.1:8080/file");
  // The same host in other digits is the same host.
  assert.equal(reached("http://2130706433:8080/file", local), "http://127.0.0.1:8080/file");
  for (const url of [
    ...["http://127.0.0.1:8081/", "http://127.0.0.1/", "https://127.0.0.1:8080/", "http://127.0.0.2:8080/"],
    ...["http://localhost:8080/", "http://[::1]:8080/", "http://[::ffff:127.0.0.1]:8080/"],
  ])
    assert.equal(reached(url, local), undefined, url);
});

test("it follows nowhere else: look-alikes, other ports, userinfo, other schemes, what is no URL", () => {
  for (const url of [
    ...["https://evilbfl.ai/", "https://bfl.ai/", "https://bfl.ai.evil.com/", "https://api.bfl.ai.evil.com/"],
    ...["https://evilfiles.bfl.ai/", "https://files.bfl.ai.evil.com/", "https://x.files.bfl.ai/"],
    ...["https://delivery.bfl.ai/", "https://evildelivery.bfl.ai/", "https://x.evildelivery.bfl.ai/"],
    ...["https://eu.delivery.bfl.ai.evil.com/", "https://files-bfl.ai/", "https://filesxbfl.ai/"],
    ...["https://api.bfl.ai./v1", "https://files.bfl.ai./", "https://eu.delivery.bfl.ai./"],
    ...["https://api.bfl.ai:8443/", "https://files.bfl.ai:8443/", "https://eu.delivery.bfl.ai:1/"],
    ...["http://api.bfl.ai/", "http://api.bfl.ai:443/", "http://files.bfl.ai/", "http://eu.delivery.bfl.ai/"],
    ...["https://u@api.bfl.ai/", "https://u:p@api.bfl.ai/", "https://:p@files.bfl.ai/"],
    ...[
      "https://api.bfl.ai@evil.com/",
      "https://api.bfl.ai%40evil.com/",
      "https://evil.com/https://api.bfl.ai/",
    ],
    ...["https://evil.com\\@api.bfl.ai/", "https://evil.com#@api.bfl.ai/", "https://evil.com?@files.bfl.ai/"],
    ...["https://files.bfl.ai%2eevil.com/", "https://files.bfl.aı/", "https://ﬁles.bfl.ai.evil.com/"],
    ...["wss://api.bfl.ai/", "ftp://files.bfl.ai/", "file://files.bfl.ai/", "javascript:https://api.bfl.ai/"],
    ...["//api.bfl.ai/", "/v1/result", "api.bfl.ai", "", "https://", "data:text/plain,https://api.bfl.ai/"],
  ])
    assert.equal(reached(url), undefined, url);
});

test("property: however an address is put together, the credential goes to the own origin or a trusted host only", () => {
  const random = seededRandom(7);
  const oneOf = (all: readonly string[]): string => all[Math.floor(random() * all.length)] ?? "";
  const hosts = [
    "api.bfl.ai",
    "files.bfl.ai",
    "eu.delivery.bfl.ai",
    "delivery.bfl.ai",
    "evil.com",
    "bfl.ai",
    "127.0.0.1",
  ];
  const joints = [
    "",
    "",
    ".",
    "@",
    "\\",
    "%40",
    "%2e",
    "%00",
    "\t",
    "#",
    "?",
    "/",
    ":",
    ":443",
    ":80",
    ":8443",
    "//",
    "。",
  ];
  const schemes = [
    "https://",
    "http://",
    "HTTPS://",
    "https:",
    "https:\\\\",
    "//",
    "wss://",
    "blob:https://",
    " https://",
    "",
  ];
  const paths = [
    "",
    "/",
    "/a/../b",
    "//evil.com/",
    "/\\evil.com",
    "/%2e%2e/x",
    "/..%2f",
    "?q=@evil.com",
    "#f",
    "/a b",
    "/é",
  ];
  let followedOnes = 0;
  for (let tries = 0; tries < 20_000; tries += 1) {
    const url =
      oneOf(schemes) + oneOf(hosts) + oneOf(joints) + oneOf(["", ...hosts]) + oneOf(joints) + oneOf(paths);
    const followed = follow(connection, trusted, url);
    if (followed === undefined) continue;
    followedOnes += 1;
    const base = readBaseUrl(followed.connection.baseUrl);
    assert.match(
      base.origin,
      /^https:\/\/(?:api\.bfl\.ai|files\.bfl\.ai|(?:[a-z0-9-]+\.)+delivery\.bfl\.ai)$/,
      url,
    );
    // What then goes out is on that origin, or does not go out at all.
    const target = targetOf(base, followed.path);
    assert.ok(target === undefined || new URL(base.origin + target).origin === base.origin, url);
  }
  assert.ok(followedOnes > 500, `${followedOnes} were followed`);
});

function targetOf(base: ReturnType<typeof readBaseUrl>, path: string): string | undefined {
  try {
    return requestTarget(base, path);
  } catch (error) {
    assert.ok(error instanceof TypeError);
    return undefined;
  }
}
