import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { after, before, beforeEach, test } from "node:test";
import { outcomeOf, startCanary, startSite, writeForEver } from "../../tests/support/egress-sites.ts";
import type { Canary, Site } from "../../tests/support/egress-sites.ts";
import { Problem } from "../core/problems.ts";
import { createEgress } from "./egress.ts";
import type { Egress, EgressRequest } from "./egress.ts";

let site: Site;
let other: Site;
let canary: Canary;
let egress: Egress;
/** Where the next asking of `/to` leads. */
let target = "";
let status = 302;
let visitsBefore: readonly number[] = [];

before(async () => {
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const [, kind, count] = (request.url ?? "").split("/");
    const left = Number(count);
    if (kind === "chain" && left > 0)
      response.writeHead(status, { location: `/chain/${left - 1}` }).end("moved");
    else if (kind === "to") response.writeHead(status, { location: target }).end("moved");
    else if (kind === "loop") response.writeHead(302, { location: "/loop" }).end();
    else response.end(`arrived ${request.method}`);
  };
  site = await startSite(answer);
  other = await startSite(answer);
  canary = await startCanary("127.0.0.1");
  egress = createEgress({
    allowed: [`127.0.0.1:${site.port}`, `127.0.0.1:${other.port}`],
    lookup: async () => ["127.0.0.1"],
  });
});
beforeEach(() => {
  status = 302;
  visitsBefore = [site.visits.length, other.visits.length];
});
after(async () => {
  await egress.stop();
  await site.stop();
  await other.stop();
  await canary.stop();
});

function request(path: string, more: Partial<EgressRequest> = {}): EgressRequest {
  return { url: `${site.origin}${path}`, maxBytes: 10_000, timeoutMs: 5_000, ...more };
}

const visitsHere = () => site.visits.slice(visitsBefore[0]);
const visitsThere = () => other.visits.slice(visitsBefore[1]);

for (const code of [301, 302, 303, 307, 308]) {
  test(`F-03 chains of ${code} are followed for five hops, and refused from the sixth on`, async () => {
    status = code;
    for (let hops = 1; hops <= 11; hops += 1) {
      const seen = site.visits.length;
      const outcome = await outcomeOf(egress.fetch(request(`/chain/${hops}`)));
      assert.equal(outcome, hops <= 5 ? 200 : "refused", `${hops}`);
      assert.equal(site.visits.length - seen, Math.min(hops, 5) + 1, `${hops}`);
    }
  });

  test(`F-03 a ${code} to what is not allowed is refused without a connection`, async () => {
    status = code;
    const targets = [
      ...[
        `http://127.0.0.1:${canary.port}/`,
        `http://2130706433:${canary.port}/`,
        `//127.0.0.1:${canary.port}/`,
      ],
      ...[
        `http://elsewhere.test:${canary.port}/`,
        `http://localhost:${canary.port}/`,
        "http://169.254.169.254/",
      ],
      ...[
        "file:///etc/passwd",
        "gopher://example.com/",
        "ftp://example.com/",
        "data:text/plain,x",
        "javascript:1",
      ],
      ...["http://8.8.8.8:22/", "http://user:password@8.8.8.8/", "http://[::1]/", "http://256.0.0.1/"],
      `${site.origin.replace("http", "https")}:6379/`,
    ];
    for (target of targets) {
      assert.equal(await outcomeOf(egress.fetch(request("/to"))), "url_not_allowed", target);
      assert.equal(
        await outcomeOf(egress.fetch(request("/to", { method: "HEAD" }))),
        "url_not_allowed",
        target,
      );
    }
    assert.equal(canary.connections(), 0);
  });

  test(`F-03 a POST that is answered with ${code} is sent once, and the ${code} is its answer`, async () => {
    status = code;
    target = `${other.origin}/`;
    const answer = await egress.fetch(request("/to", { method: "POST", body: "secret" }));
    assert.deepEqual(
      [answer.status, answer.headers["location"], answer.url],
      [code, target, `${site.origin}/to`],
    );
    assert.deepEqual(
      visitsHere().map(({ method, body }) => [method, body]),
      [["POST", "secret"]],
    );
    assert.deepEqual(visitsThere(), []);
  });

  test(`F-03 after a ${code} a HEAD stays a HEAD`, async () => {
    status = code;
    const answer = await egress.fetch(request("/chain/3", { method: "HEAD" }));
    assert.deepEqual([answer.status, answer.bytes.length], [200, 0]);
    assert.deepEqual(new Set(visitsHere().map(({ method }) => method)), new Set(["HEAD"]));
  });
}

test("F-03 endless redirects end", async () => {
  assert.equal(await outcomeOf(egress.fetch(request("/loop"))), "refused");
  assert.equal(await outcomeOf(egress.fetch(request("/loop", { maxRedirects: 20 }))), "refused");
  assert.equal(visitsHere().length, 6 + 21);
});

test("F-03 with no redirects wanted, a redirect is an answer like any other", async () => {
  target = `http://127.0.0.1:${canary.port}/`;
  const answer = await egress.fetch(request("/to", { maxRedirects: 0 }));
  assert.deepEqual(
    [answer.status, answer.headers["location"], answer.bytes.toString()],
    [302, target, "moved"],
  );
});

test("F-03 another origin reads no credentials, the same origin does", async () => {
  const headers = {
    ...{
      Authorization: "Bearer secret",
      Cookie: "a=secret",
      "X-Api-Key": "secret",
      "Webhook-Signature": "secret",
    },
    ...{ Accept: "text/html", "User-Agent": "Reader" },
  };
  await egress.fetch(request("/chain/1", { headers }));
  for (const visit of visitsHere()) {
    assert.match(JSON.stringify(visit.headers), /Bearer secret.*a=secret/);
    assert.equal(visit.headers["x-api-key"], "secret");
  }
  // Names are origins too: the same listener under another name is another origin.
  target = `http://back.test:${site.port}/`;
  await egress.fetch(request("/to", { headers }));
  const [, there] = visitsHere().slice(-2);
  assert.doesNotMatch(JSON.stringify(there?.headers), /secret/i);
  assert.deepEqual([there?.headers.accept, there?.headers["user-agent"]], ["text/html", "Reader"]);
});

test("F-03 what comes back after another origin is asked without credentials", async () => {
  const first = await startSite((asking, response) => {
    if (asking.url === "/start") response.writeHead(302, { location: `${second.origin}/` }).end();
    else response.end("home");
  });
  const second = await startSite(
    (_, response) => void response.writeHead(302, { location: `${first.origin}/home` }).end(),
  );
  const both = createEgress({ allowed: [`127.0.0.1:${first.port}`, `127.0.0.1:${second.port}`] });
  const url = `${first.origin}/start`;
  const answer = await both.fetch({ url, headers: { cookie: "secret" }, maxBytes: 100, timeoutMs: 5_000 });
  assert.equal(answer.url, `${first.origin}/home`);
  assert.deepEqual(
    [...first.visits, ...second.visits].map(({ path, headers }) => [path, headers.cookie]),
    [
      ["/start", "secret"],
      ["/home", undefined],
      ["/", undefined],
    ],
  );
  await first.stop();
  await second.stop();
});

test("F-03 a target is read as browsers read it: relative, in UTF-8, without its fragment", async () => {
  const wire = (text: string): string => Buffer.from(text).toString("latin1");
  for (const [told, reached] of [
    ["/a?b=c#d", `${site.origin}/a?b=c`],
    ["x/../y", `${site.origin}/y`],
    [`//127.0.0.1:${other.port}/z`, `${other.origin}/z`],
    [wire("/naïve/你好"), `${site.origin}/na%C3%AFve/%E4%BD%A0%E5%A5%BD`],
  ] as const) {
    target = told;
    assert.equal((await egress.fetch(request("/to"))).url, reached);
  }
});

test("F-03 a 3xx without a target is an answer, and so is one that does not redirect", async () => {
  const plain = await startSite((asking, response) => {
    if (asking.url === "/300") response.writeHead(300, { location: "/elsewhere" });
    else response.writeHead(302);
    response.end("choose");
  });
  const here = createEgress({ allowed: [`127.0.0.1:${plain.port}`] });
  for (const path of ["/300", "/302"]) {
    const answer = await here.fetch({ url: plain.origin + path, maxBytes: 100, timeoutMs: 5_000 });
    assert.deepEqual([`/${answer.status}`, answer.bytes.toString()], [path, "choose"]);
  }
  await plain.stop();
});

test("F-03 the body of a redirect is not read, and its connection is closed", async () => {
  const endless = await startSite(async (asking, response) => {
    if (asking.url === "/done") {
      response.end("done");
      return;
    }
    response.writeHead(302, { location: "/done" });
    const closed = once(response, "close");
    await writeForEver(response, Buffer.alloc(65_536));
    await closed;
  });
  const here = createEgress({ allowed: [`127.0.0.1:${endless.port}`] });
  const answer = await here.fetch({ url: endless.origin, maxBytes: 100, timeoutMs: 5_000 });
  assert.equal(answer.bytes.toString(), "done");
  await endless.stop();
});

test("whoever asks may stop before a redirect is followed, and is asked for each, after it was judged", async () => {
  const asked: string[] = [];
  const beforeRedirect = async (url: string): Promise<void> => {
    asked.push(new URL(url).pathname);
    if (url.endsWith("/chain/1")) throw new Problem("invalid_request", { message: "no further" });
  };
  await assert.rejects(
    egress.fetch(request("/chain/3", { beforeRedirect })),
    (error: unknown) => error instanceof Problem && error.message === "no further",
  );
  assert.deepEqual(asked, ["/chain/2", "/chain/1"]);
  assert.deepEqual(
    visitsHere().map(({ path }) => path),
    ["/chain/3", "/chain/2"],
  );
  target = `http://127.0.0.1:${canary.port}/`;
  await assert.rejects(egress.fetch(request("/to", { beforeRedirect })), Problem);
  assert.equal(asked.length, 2);
});
