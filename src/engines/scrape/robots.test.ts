import assert from "node:assert/strict";
import { test } from "node:test";
import { Problem } from "../../core/problems.ts";
import { scrapeBench, startSite } from "./site.test-support.ts";
import type { Bench, Site, SitePage } from "./site.test-support.ts";

const page = { body: "<p>Text" };

async function withSite(
  pages: Readonly<Record<string, SitePage>>,
  body: (site: Site, bench: Bench) => Promise<void>,
): Promise<void> {
  const site = await startSite({ "/page": page, "/private/page": page, ...pages });
  const bench = scrapeBench(site);
  try {
    await body(site, bench);
  } finally {
    await bench.stop();
    await site.stop();
  }
}

function rules(...lines: readonly string[]): SitePage {
  return { headers: { "content-type": "text/plain" }, body: lines.join("\n") };
}

function refused(words: RegExp) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof Problem, String(error));
    assert.deepEqual([error.code, error.param], ["invalid_request", "url"]);
    assert.match(error.message, words);
    return true;
  };
}

const notAllowed = refused(/^The site's robots\.txt does not allow this page to be read\.$/);

test("what robots.txt forbids is not asked for, and what it allows is read", async () => {
  await withSite({ "/robots.txt": rules("User-agent: *", "Disallow: /private") }, async (site, bench) => {
    await assert.rejects(bench.scrape({ url: `${site.origin}/private/page` }), notAllowed);
    assert.equal(site.visitsTo("/private/page"), 0);
    const { output } = await bench.scrape({ url: `${site.origin}/page` });
    assert.equal(output["markdown"], "Text");
  });
});

test("rules for us by name go before those for everybody", async () => {
  const lines = ["User-agent: *", "Disallow: /", "", "User-agent: skillbossbot", "Disallow: /private"];
  await withSite({ "/robots.txt": rules(...lines) }, async (site, bench) => {
    const { output } = await bench.scrape({ url: `${site.origin}/page` });
    assert.equal(output["markdown"], "Text");
    await assert.rejects(bench.scrape({ url: `${site.origin}/private/page` }), notAllowed);
  });
});

test("a redirect does not lead past the rules", async () => {
  const forward = { status: 302, headers: { location: "/private/page" } };
  const pages = { "/robots.txt": rules("User-agent: *", "Disallow: /private"), "/forward": forward };
  await withSite(pages, async (site, bench) => {
    await assert.rejects(bench.scrape({ url: `${site.origin}/forward` }), notAllowed);
    assert.deepEqual([site.visitsTo("/forward"), site.visitsTo("/private/page")], [1, 0]);
  });
});

test("another site that a redirect leads to is asked for its own rules first", async () => {
  await withSite({ "/robots.txt": rules("User-agent: *", "Disallow: /") }, async (closed) => {
    const location = `${closed.origin}/page`;
    const site = await startSite({ "/forward": { status: 301, headers: { location } } });
    const bench = scrapeBench(site, undefined, [closed]);
    try {
      await assert.rejects(bench.scrape({ url: `${site.origin}/forward` }), notAllowed);
      assert.deepEqual([closed.visitsTo("/robots.txt"), closed.visitsTo("/page")], [1, 0]);
      closed.pages.set("/robots.txt", rules("User-agent: *", "Disallow: /private"));
      bench.clock.turn({ seconds: 3601 });
      const { output } = await bench.scrape({ url: `${site.origin}/forward` });
      assert.equal(output["markdown"], "Text");
    } finally {
      await bench.stop();
      await site.stop();
    }
  });
});

test("frames that the rules forbid stay out of the page", async () => {
  const pages = {
    "/robots.txt": rules("User-agent: *", "Disallow: /private"),
    "/frames": { body: '<p>Outside<iframe src="/private/page"></iframe><iframe src="/page"></iframe>' },
  };
  await withSite(pages, async (site, bench) => {
    const { output } = await bench.scrape({ url: `${site.origin}/frames`, only_main_content: false });
    assert.equal(output["markdown"], "Outside\n\nText");
    assert.equal(site.visitsTo("/private/page"), 0);
  });
});

test("a site without robots.txt, or that hides it, allows all", async () => {
  for (const status of [404, 403, 410]) {
    await withSite({ "/robots.txt": { status, body: "User-agent: *\nDisallow: /" } }, async (site, bench) => {
      const { output } = await bench.scrape({ url: `${site.origin}/page` });
      assert.equal(output["markdown"], "Text", String(status));
    });
  }
});

test("a site that cannot say its rules is not read, and is asked again after a minute", async () => {
  await withSite({ "/robots.txt": { status: 503 } }, async (site, bench) => {
    const url = `${site.origin}/page`;
    for (let round = 0; round < 2; round++)
      await assert.rejects(bench.scrape({ url }), refused(/could not say in its robots\.txt/));
    assert.deepEqual([site.visitsTo("/robots.txt"), site.visitsTo("/page")], [1, 0]);
    site.pages.delete("/robots.txt");
    bench.clock.turn({ seconds: 61 });
    assert.equal((await bench.scrape({ url })).output["markdown"], "Text");
  });
});

test("rules are remembered for an hour", async () => {
  await withSite({ "/robots.txt": rules("User-agent: *", "Disallow: /private") }, async (site, bench) => {
    const url = `${site.origin}/private/page`;
    for (let round = 0; round < 3; round++) await assert.rejects(bench.scrape({ url }), notAllowed);
    bench.clock.turn({ seconds: 3590 });
    await assert.rejects(bench.scrape({ url }), notAllowed);
    assert.equal(site.visitsTo("/robots.txt"), 1);
    site.pages.set("/robots.txt", rules("User-agent: *", "Disallow:"));
    bench.clock.turn({ seconds: 20 });
    assert.equal((await bench.scrape({ url })).output["markdown"], "Text");
    assert.equal(site.visitsTo("/robots.txt"), 2);
  });
});

test("of endless rules the first half megabyte counts", async () => {
  const lines = ["User-agent: *", "Disallow: /private"];
  for (let bytes = 0; bytes < 600_000; bytes += 100) lines.push(`Disallow: /${"x".repeat(88)}`);
  await withSite({ "/robots.txt": rules(...lines, "Disallow: /page") }, async (site, bench) => {
    assert.equal((await bench.scrape({ url: `${site.origin}/page` })).output["markdown"], "Text");
    await assert.rejects(bench.scrape({ url: `${site.origin}/private/page` }), notAllowed);
  });
});

test("rules made to be judged without end cost their own run only", async () => {
  const lines = ["User-agent: *", ...Array.from({ length: 2600 }, () => `Disallow: /${"*a".repeat(95)}*z$`)];
  await withSite({ "/robots.txt": rules(...lines) }, async (site, bench) => {
    const path = `/page?${"a".repeat(3900)}`;
    const judged = bench.scrape({ url: site.origin + path, timeout_ms: 1000 });
    // The worker that judges is busy; this process is not.
    const turns = await turnsUntil(judged);
    await assert.rejects(
      judged,
      (error: unknown) => error instanceof Problem && error.code === "upstream_timeout",
    );
    assert.ok(turns > 10, `${turns} turns`);
    assert.equal(site.visitsTo(path), 0);
  });
});

async function turnsUntil(end: Promise<unknown>): Promise<number> {
  let isOver = false;
  let turns = 0;
  const over = end.catch(() => undefined).finally(() => (isOver = true));
  while (!isOver) {
    turns += 1;
    await Promise.race([
      over,
      new Promise((resolve) => {
        setTimeout(resolve, 10);
      }),
    ]);
  }
  return turns;
}
