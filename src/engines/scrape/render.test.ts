import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { env } from "node:process";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, before, test } from "node:test";
import { Problem } from "../../core/problems.ts";
import type { ProblemCode } from "../../core/problems.ts";
import { findChromium } from "./chromium-path.ts";
import { scrapeBench, startSite } from "./site.test-support.ts";
import type { Bench, Site } from "./site.test-support.ts";

/** Real pages in a real browser; where there is none, these tests say that they are skipped. */
const path = findChromium(env["SKILLBOSS_CHROMIUM"]);
const skip = path === undefined ? "there is no Chromium on this machine" : false;
/** A browser on a busy machine starts slowly. */
const patience = { timeout_ms: 60_000 };

let site: Site;
let bench: Bench;

before(async () => {
  site = await startSite({
    "/app": { body: '<title>Sent</title><p>Loading</p><div id="app"></div><script src="/app.js"></script>' },
    "/app.js": {
      headers: { "content-type": "text/javascript" },
      body: `fetch("/data").then((answer) => answer.json()).then(({ items }) => {
        document.title = "Written";
        document.querySelector("p").remove();
        document.querySelector("#app").innerHTML = items.map((item) => "<h2>" + item + "</h2>").join("");
      }); alert("Is anybody there?");`,
    },
    "/data": { headers: { "content-type": "application/json" }, body: `{ "items": ["One", "Two"] }` },
  });
  bench = scrapeBench(site, path === undefined ? undefined : { path });
});
after(async () => {
  await bench.stop();
  await site.stop();
});

function problem(code: ProblemCode, param: string, words?: RegExp) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof Problem, String(error));
    assert.deepEqual([error.code, error.param], [code, param], error.message);
    if (words !== undefined) assert.match(error.message, words);
    return true;
  };
}

function script(code: string): { readonly body: string } {
  return { body: `<p>Sent</p><script>${code}</script>` };
}

test("a page that its scripts write is read as they wrote it, without being asked", { skip }, async () => {
  const { output } = await bench.scrape({ url: `${site.origin}/app`, ...patience });
  assert.equal(output["markdown"], "## One\n\n## Two");
  assert.equal((output["metadata"] as Record<string, unknown>)["title"], "Written");
  const asSent = await bench.scrape({ url: `${site.origin}/app`, render: false });
  assert.equal(asSent.output["markdown"], "Loading");
});

test("frames are read with what scripts write, in the page and into it", { skip }, async () => {
  site.pages.set("/both", {
    body: `<iframe src="/both/sent"></iframe><div id="app"></div><script>
      document.querySelector("#app").innerHTML = "<h1>Written</h1>";
      const frame = document.createElement("iframe");
      frame.src = "/both/added";
      document.body.append(frame);
    </script>`,
  });
  site.pages.set("/both/sent", { body: "<p>From a frame</p>" });
  site.pages.set("/both/added", { body: "<p>From a frame of a script</p>" });
  const { output } = await bench.scrape({ url: `${site.origin}/both`, ...patience });
  assert.equal(output["markdown"], "# Written\n\nFrom a frame\n\nFrom a frame of a script");
});

test("a page that begins to speak after a while is heard, and to its end", { skip }, async () => {
  site.pages.set("/pause", {
    body: `<div id="app"></div><script>setTimeout(() => {
      document.querySelector("#app").innerHTML = "<h1>Written late</h1>";
      setTimeout(() => document.querySelector("#app").append("and later"), 700);
    }, 700)</script>`,
  });
  const { output } = await bench.scrape({ url: `${site.origin}/pause`, ...patience });
  assert.equal(output["markdown"], "# Written late\n\nand later");
});

test("a page may take the time that the customer gives it", { skip }, async () => {
  site.pages.set("/late", script(`setTimeout(() => document.body.append("Late"), 1500)`));
  const { output } = await bench.scrape({ url: `${site.origin}/late`, wait_for_ms: 2500, ...patience });
  assert.match(String(output["markdown"]), /Late/);
});

test("a page in the browser reaches nothing that could not be named as an input", { skip }, async () => {
  let connections = 0;
  const inside = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => {
    inside.listen(0, "127.0.0.1", resolve);
  });
  const host = `127.0.0.1:${(inside.address() as AddressInfo).port}`;
  try {
    site.pages.set("/redirect", { status: 302, headers: { location: `http://${host}/redirect` } });
    site.pages.set("/attack", {
      body: `<link rel="preconnect" href="http://${host}"><link rel="prefetch" href="http://${host}/prefetch">
        <link rel="stylesheet" href="http://${host}/style"><img src="http://${host}/image">
        <iframe src="http://${host}/frame"></iframe><script src="http://${host}/script"></script>
        <form id="form" method="post" action="http://${host}/form" target="frame"></form><iframe name="frame"></iframe>
        <p>Tried</p><script>
        const tried = [];
        const done = (name) => () => { tried.push(name); document.querySelector("p").textContent = tried.sort().join(" "); };
        fetch("http://${host}/fetch").catch(done("fetch"));
        fetch("/redirect").catch(done("redirect"));
        fetch("http://localhost:${host.split(":")[1]}/name").catch(done("name"));
        new WebSocket("ws://${host}/socket").onerror = done("socket");
        new EventSource("http://${host}/events").onerror = done("events");
        navigator.sendBeacon("http://${host}/beacon", "x");
        new Worker(URL.createObjectURL(new Blob(["importScripts('http://${host}/import')"]))).onerror = done("worker");
        window.open("http://${host}/window");
        document.querySelector("#form").submit();
        const peer = new RTCPeerConnection({ iceServers: [{ urls: "stun:${host}" }] });
        peer.createDataChannel("x"); peer.createOffer().then((offer) => peer.setLocalDescription(offer));
        </script>`,
    });
    const { output } = await bench.scrape({
      ...{ url: `${site.origin}/attack`, render: true, wait_for_ms: 1500, ...patience },
    });
    assert.match(String(output["markdown"]), /^events fetch name redirect socket worker$/m);
    assert.equal(connections, 0);
  } finally {
    inside.close();
  }
});

test("scripts do not lead to where robots.txt lets nobody go", { skip }, async () => {
  site.pages.set("/robots.txt", { body: "User-agent: *\nDisallow: /private" });
  bench.clock.turn({ seconds: 4000 });
  site.pages.set("/private", { body: "<p>Private" });
  site.pages.set("/leads", script(`location.replace("/private")`));
  await assert.rejects(
    bench.scrape({ url: `${site.origin}/leads`, render: true, wait_for_ms: 1000, ...patience }),
    problem("invalid_request", "url", /robots\.txt/),
  );
  assert.equal(site.visitsTo("/private"), 0);
});

test(
  "a page whose scripts never end is left in time, and nothing of the browser stays",
  { skip },
  async () => {
    site.pages.set("/loop", script("for (;;);"));
    await assert.rejects(
      bench.scrape({ url: `${site.origin}/loop`, render: true, timeout_ms: 6000 }),
      problem("upstream_timeout", "url"),
    );
    assert.deepEqual(
      readdirSync(tmpdir()).filter((name) => name.startsWith(`skillboss-chromium-${process.pid}-`)),
      [],
    );
  },
);

test("a browser that cannot be started is an error only where one was asked for", async () => {
  const broken = scrapeBench(site, { path: "/bin/false" });
  try {
    const { output } = await broken.scrape({ url: `${site.origin}/app` });
    assert.equal(output["markdown"], "Loading");
    await assert.rejects(
      broken.scrape({ url: `${site.origin}/app`, render: true }),
      problem("service_unavailable", "render"),
    );
  } finally {
    await broken.stop();
  }
});

test("without a browser a page is read as it was sent, and one that must be rendered is refused", async () => {
  const plain = scrapeBench(site);
  try {
    assert.equal((await plain.scrape({ url: `${site.origin}/app` })).output["markdown"], "Loading");
    await assert.rejects(
      plain.scrape({ url: `${site.origin}/app`, render: true }),
      problem("provider_not_configured", "render", /SKILLBOSS_CHROMIUM/),
    );
  } finally {
    await plain.stop();
  }
});
