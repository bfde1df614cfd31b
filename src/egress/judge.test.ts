import assert from "node:assert/strict";
import { syncBuiltinESMExports } from "node:module";
import os from "node:os";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { outcomeOf, startCanary } from "../../tests/support/egress-sites.ts";
import type { Canary } from "../../tests/support/egress-sites.ts";
import { Problem } from "../core/problems.ts";
import { createEgress } from "./egress.ts";
import type { Egress } from "./egress.ts";

let canary: Canary;
const asked: string[] = [];
const egress: Egress = createEgress({
  lookup: async (host) => {
    asked.push(host);
    throw new Error("no such name");
  },
});

before(async () => {
  canary = await startCanary();
});
after(async () => {
  await egress.stop();
  await canary.stop();
});

function isAllowed(url: string): boolean {
  try {
    egress.check(url);
    return true;
  } catch (error) {
    assert.ok(error instanceof Problem && error.code === "url_not_allowed", String(error));
    assert.deepEqual([error.status, error.message], [400, "This address may not be fetched."]);
    return false;
  }
}

function ask(url: string): Promise<string | number> {
  return outcomeOf(egress.fetch({ url, maxBytes: 1_000, timeoutMs: 5_000 }));
}

/** Refused by its text alone: nobody is asked, nothing is connected to. */
async function assertRefused(url: string): Promise<void> {
  assert.equal(isAllowed(url), false, url);
  const before = [canary.connections(), asked.length];
  assert.equal(await ask(url), "url_not_allowed", url);
  assert.deepEqual([canary.connections(), asked.length], before, url);
}

const privateHosts = [
  ...["127.0.0.1", "127.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.254", "192.168.1.1", "169.254.169.254"],
  ...["100.64.0.1", "100.127.255.254", "0.0.0.0", "0.1.2.3", "224.0.0.1", "239.255.255.250", "240.0.0.1"],
  ...[
    "255.255.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "192.88.99.1",
  ],
  ...["168.63.129.16", "[::1]", "[::]", "[::2]", "[fc00::1]", "[fd00:ec2::254]", "[fe80::1]", "[febf::1]"],
  ...[
    "[fec0::1]",
    "[ff02::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:8.8.8.8]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
  ],
  ...[
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::]",
    "[2001:db8::1]",
    "[100::1]",
    "[3fff::1]",
  ],
  ...["[2001:10::1]", "[2001:20::1]", "[5f00::1]", "[4000::1]"],
];

test("F-01 addresses that are not of the public internet are refused, and nothing connects to them", async () => {
  for (const host of privateHosts) {
    await assertRefused(`http://${host}:${canary.port}/`);
    await assertRefused(`https://${host}/`);
  }
  assert.equal(canary.connections(), 0);
});

test("F-01 names that only mean something inside a network are refused without asking for them", async () => {
  const names = [
    ...[
      "localhost",
      "LOCALHOST",
      "localhost.",
      "a.localhost",
      "redis",
      "postgres",
      "kubernetes.default.svc.cluster.local",
    ],
    ...["metadata.google.internal", "printer.local", "router.lan", "nas.home", "x.home.arpa", "git.corp"],
    ...["wiki.intranet", "a.private", "x.localdomain", "a..b", "example.com..", "hidden.onion"],
  ];
  for (const name of names) await assertRefused(`http://${name}:${canary.port}/`);
});

test("F-01 this machine's own addresses are refused, the public ones too", async (t) => {
  const all = Object.values(os.networkInterfaces()).flatMap((one = []) => one);
  for (const { address, family } of all) {
    await assertRefused(
      `http://${family === "IPv6" ? `[${address.split("%")[0]}]` : address}:${canary.port}/`,
    );
  }
  assert.ok(isAllowed("http://8.8.8.8/") && isAllowed("http://[2606:4700::1]/"));
  const face = { netmask: "255.255.255.0", mac: "00:00:00:00:00:00", internal: false, cidr: null } as const;
  t.mock.method(os, "networkInterfaces", () => ({
    eth0: [
      { ...face, family: "IPv4", address: "8.8.8.8" },
      { ...face, family: "IPv6", scopeid: 0, address: "2606:4700::1" },
    ],
  }));
  syncBuiltinESMExports();
  try {
    await assertRefused("http://8.8.8.8/");
    await assertRefused("http://[2606:4700:0::1]/");
    assert.ok(isAllowed("http://8.8.4.4/"));
  } finally {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  }
});

test("F-01 the time of a refusal does not tell an open port from a closed one", async () => {
  const closed = await startCanary("127.0.0.1");
  await closed.stop();
  const median = async (port: number): Promise<number> => {
    const times: number[] = [];
    for (let tries = 0; tries < 51; tries += 1) {
      const begun = performance.now();
      assert.equal(await ask(`http://127.0.0.1:${port}/`), "url_not_allowed");
      times.push(performance.now() - begun);
    }
    return times.toSorted((a, b) => a - b)[25] ?? Infinity;
  };
  const difference = Math.abs((await median(canary.port)) - (await median(closed.port)));
  assert.ok(difference < 20, `${difference} ms`);
  assert.equal(canary.connections(), 0);
});

test("F-02 written in other ways, private addresses stay what they are", async () => {
  const hosts = [
    ...[
      "2130706433",
      "0x7f000001",
      "0X7F000001",
      "017700000001",
      "127.1",
      "127.0.1",
      "0177.0.0.1",
      "0x7f.0x0.0x0.0x1",
    ],
    ...[
      "127.0.0.1.",
      "１２７.０.０.１",
      "127。0。0。1",
      "①②⑦.⓪.⓪.①",
      "%31%32%37.0.0.1",
      "127%2e0%2E0.1",
      "0",
      "0x0",
    ],
    ...["[::ffff:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]", "[::FFFF:127.0.0.1]", "[0000::0001]", "2852039166"],
    ...[
      "0xA9FEA9FE",
      "user@127.0.0.1",
      "user:password@127.0.0.1",
      "8.8.8.8@127.0.0.1",
      "ⓛocalhost",
      "𝟏27.0.0.1",
    ],
  ];
  for (const host of hosts) await assertRefused(`http://${host}:${canary.port}/`);
  const urls = [
    ...["http:127.0.0.1", "http:/127.0.0.1", "http:\\\\127.0.0.1", "HTTP://127.0.0.1", " http://127.0.0.1 "],
    ...["ht\ntp://127.0.\t0.1", "http://127.0.0.1\\@example.com/", "http://127.0.0.1#@example.com/"],
    ...[
      "http://127.0.0.1?@example.com/",
      "http://@127.0.0.1/",
      "//127.0.0.1/",
      "127.0.0.1",
      "http://[fe80::1%25eth0]/",
    ],
    ...["http://256.1.1.1/", "http://1.2.3.4.5/", "http://0x1ffffffff/", "http://exa mple.com/", "http://"],
  ];
  for (const url of urls) await assertRefused(url);
  assert.equal(canary.connections(), 0);
});

test("F-02 behind a backslash there is a path, and the host before it is what is judged", async () => {
  asked.length = 0;
  assert.equal(await ask(`http://public.test\\@127.0.0.1:${canary.port}/`), "refused");
  assert.deepEqual([asked, canary.connections()], [["public.test"], 0]);
});

type Digits = "1" | "①" | "%";

const octet = fc.integer({ min: 0, max: 255 });
const privateIPv4 = fc
  .oneof(
    fc.tuple(fc.constantFrom(0, 10, 127), octet, octet, octet),
    fc.tuple(fc.constant(172), fc.integer({ min: 16, max: 31 }), octet, octet),
    fc.tuple(fc.constant(192), fc.constant(168), octet, octet),
    fc.tuple(fc.constant(169), fc.constant(254), octet, octet),
    fc.tuple(fc.constant(100), fc.integer({ min: 64, max: 127 }), octet, octet),
    fc.tuple(fc.integer({ min: 224, max: 255 }), octet, octet, octet),
  )
  .map(valueOf);
const publicIPv4 = fc.tuple(fc.integer({ min: 11, max: 99 }), octet, octet, octet).map(valueOf);

function valueOf(octets: readonly number[]): number {
  return octets.reduce((sum, part) => sum * 256 + part, 0);
}

const radix = fc.constantFrom(
  (part: number) => String(part),
  (part: number) => `0x${part.toString(16)}`,
  (part: number) => `0X000${part.toString(16).toUpperCase()}`,
  (part: number) => `0${part.toString(8)}`,
  (part: number) => `00${part.toString(8)}`,
);
/** 1 to 4 parts, the last of which takes what is left, each in a form of its own. */
const numericForm = fc
  .record({
    parts: fc.integer({ min: 1, max: 4 }),
    forms: fc.tuple(radix, radix, radix, radix),
    dot: fc.constantFrom(".", "．", "。", "%2e"),
    digits: fc.constantFrom<Digits>("1", "①", "%"),
    end: fc.constantFrom("", "."),
  })
  .map(({ parts, forms, dot, digits, end }) => (value: number): string => {
    const octets = [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256);
    const rest = value % 256 ** (5 - parts);
    const numbers = [...octets.slice(0, parts - 1), rest];
    return numbers.map((part, at) => restyled(forms[at]?.(part) ?? "", digits)).join(dot) + end;
  });

const circled = "⓪①②③④⑤⑥⑦⑧⑨";

function restyled(text: string, digits: Digits): string {
  if (digits === "1") return text;
  return text.replaceAll(/\d/g, (digit) =>
    digits === "①" ? (circled[Number(digit)] ?? digit) : `%${digit.charCodeAt(0).toString(16)}`,
  );
}

const insideIPv6 = fc
  .constantFrom(
    (pair: string) => `[::ffff:${pair}]`,
    (pair: string) => `[0:0:0:0:0:FFFF:${pair}]`,
    (pair: string) => `[::${pair}]`,
    (pair: string) => `[64:ff9b::${pair}]`,
    (pair: string) => `[64:ff9b:1::${pair}]`,
    (pair: string) => `[2002:${pair}::1]`,
    (pair: string) => `[2001:0:${pair}::]`,
    (pair: string) => `[fd00::${pair}]`,
    (pair: string) => `[fe80::${pair}]`,
  )
  .map((form) => (value: number): string => {
    const hex = value.toString(16).padStart(8, "0");
    return form(`${hex.slice(0, 4)}:${hex.slice(4)}`);
  });
const start = fc.constantFrom("http://", "https://", "HtTp://", "http:", "http:/", "http:\\\\", " http://");
const end = fc.constantFrom("", "/", "/a?b#c", "?@example.com", "#@example.com", "\\@example.com", ":8080/x");

test("F-02 any private address in any encoding is refused by its text", () => {
  const url = fc
    .tuple(start, fc.oneof(numericForm, insideIPv6), privateIPv4, end)
    .map(([head, form, value, tail]) => head + form(value) + tail);
  fc.assert(
    fc.property(url, (text) => !isAllowed(text)),
    { numRuns: 3_000 },
  );
});

test("F-02 the same encodings of public addresses are read, so it is the address that is refused", () => {
  const url = fc
    .tuple(start, numericForm, publicIPv4, end)
    .map(([head, form, value, tail]) => head + form(value) + tail);
  fc.assert(fc.property(url, isAllowed), { numRuns: 1_000 });
});

test("F-05 only http and https are fetched, without credentials, and no URL without measure", async () => {
  const urls = [
    ...[
      "file:///etc/passwd",
      "ftp://example.com/",
      "data:text/plain,hello",
      "javascript:alert(1)",
      "gopher://example.com/",
    ],
    ...[
      "ws://example.com/",
      "blob:http://example.com/1",
      "about:blank",
      "unix:///run/docker.sock",
      "",
      "example.com",
    ],
    ...["https://user:password@example.com/", "https://user@example.com/", "https://:password@example.com/"],
    `https://example.com/${"a".repeat(9_000)}`,
  ];
  for (const url of urls) await assertRefused(url);
  assert.ok(isAllowed("https://example.com/a?b=c#d") && isAllowed("HTTP://EXAMPLE.COM"));
});

test("F-05 ports of other services than the web's are refused, for names as for addresses", async () => {
  const closed = [
    0, 1, 21, 22, 23, 25, 53, 81, 110, 143, 389, 445, 465, 587, 993, 1023, 1433, 2049, 2375, 2379,
  ];
  const more = [
    3306, 5432, 5672, 5900, 5984, 6000, 6379, 6443, 6667, 9042, 9092, 9200, 9300, 10250, 11211, 27017,
  ];
  for (const port of [...closed, ...more]) {
    await assertRefused(`http://example.com:${port}/`);
    await assertRefused(`https://8.8.8.8:${port}/`);
  }
  for (const port of [80, 443, 1024, 3000, 8000, 8080, 8443, 8787, 9000, 49_152, 65_535]) {
    assert.ok(isAllowed(`http://example.com:${port}/`) && isAllowed(`https://8.8.8.8:${port}/`), `${port}`);
  }
  // Systems hand these out to any listener.
  for (let port = 32_768; port <= 65_535; port += 1) assert.ok(isAllowed(`http://example.com:${port}/`));
});
