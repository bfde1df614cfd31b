import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Problem } from "../../core/problems.ts";
import type { ProblemCode } from "../../core/problems.ts";
import { onePagePdf } from "../parse/sample-documents.test-support.ts";
import { scrapeBench, startSite } from "./site.test-support.ts";
import type { Bench, Site } from "./site.test-support.ts";

const article = `<!doctype html><html lang="en-GB"><head><title>Brewing &amp; drinking</title>
<meta name="description" content="All about  tea"><style>body { color: red }</style></head><body>
<nav><a href="/shop">Shop</a></nav><header><a href="/">The site's header</a></header>
<main><article><h1>Brewing tea</h1>
<p>Tea is made by pouring <a href="water.html?a=1&amp;b=2">hot water</a> over leaves, and by waiting for some minutes,
until it has the <em>right</em> <strong>strength</strong>, which is, as so often, a matter of taste and of habit.</p>
<h2>Temperatures <a href="#temperatures">#</a></h2>
<table><thead><tr><th>Tea</th><th>°C</th></tr></thead><tbody>
<tr><td>Green</td><td>70</td></tr><tr><td>Black | strong</td><td>95</td></tr></tbody></table>
<pre><code class="language-js">const minutes = 3;
brew(minutes);</code></pre>
<ol start="4"><li>Pour</li><li>Wait<ul><li>not too long</li></ul></li></ol>
<p><img src="../img/cup.png" alt="A cup"><img src="data:image/gif;base64,R0lGOD" data-src="late.png" alt="Late"></p>
<p>A second paragraph has, in many words, what there is to say about the matter, which is not much, but it is enough.</p>
</article></main>
<aside>Buy our kettles</aside><iframe srcdoc="&lt;p&gt;Written frame&lt;/p&gt;&lt;script&gt;evil()&lt;/script&gt;"></iframe>
<iframe src="/frame.html"></iframe><iframe src="http://elsewhere.example/frame.html"></iframe>
<footer>Imprint</footer><script>document.title = "from a script"</script></body></html>`;

let site: Site;
let bench: Bench;

before(async () => {
  site = await startSite({
    "/tea/article.html": { body: article },
    "/frame.html": {
      body: `<p>Framed text with <a href="more.html">more</a></p><nav>Frame navigation</nav>`,
    },
  });
  bench = scrapeBench(site);
});
after(async () => {
  await bench.stop();
  await site.stop();
});

/** A refusal with this code about this input, and with its words where they are promised. */
function problem(code: ProblemCode, param: string | null, words?: RegExp) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof Problem, String(error));
    assert.deepEqual({ code: error.code, param: error.param }, { code, param });
    if (words !== undefined) assert.match(error.message, words);
    return true;
  };
}

async function markdownOf(path: string, inputs: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const { output } = await bench.scrape({ url: site.origin + path, ...inputs });
  assert.ok(typeof output["markdown"] === "string");
  return output["markdown"];
}

test("an article becomes Markdown without what surrounds it, its addresses absolute", async () => {
  const { output, usage, files, isEmpty } = await bench.scrape({ url: `${site.origin}/tea/article.html` });
  assert.equal(
    output["markdown"],
    `# Brewing tea

Tea is made by pouring [hot water](${site.origin}/tea/water.html?a=1&b=2) over leaves, and by waiting for some minutes, until it has the *right* **strength**, which is, as so often, a matter of taste and of habit.

## Temperatures

| Tea | °C |
| --- | --- |
| Green | 70 |
| Black \\| strong | 95 |

\`\`\`js
const minutes = 3;
brew(minutes);
\`\`\`

4. Pour
5. Wait
   - not too long

![A cup](${site.origin}/img/cup.png)![Late](${site.origin}/tea/late.png)

A second paragraph has, in many words, what there is to say about the matter, which is not much, but it is enough.

Written frame

Framed text with [more](${site.origin}/more.html)`,
  );
  assert.deepEqual(output["metadata"], {
    title: "Brewing & drinking",
    description: "All about tea",
    language: "en-GB",
    sourceURL: `${site.origin}/tea/article.html`,
    url: `${site.origin}/tea/article.html`,
    statusCode: 200,
    contentType: "text/html; charset=utf-8",
  });
  assert.deepEqual({ usage, files, isEmpty }, { usage: { requests: 1 }, files: [], isEmpty: false });
});

test("frames of a page's own site are a part of what it says, but for those around it, hidden ones and excluded ones", async () => {
  const text = "The page itself says so much that there is an article to be found, and more than that. ";
  site.pages.set("/framed", {
    body: `<header><iframe src="/frames/head"></iframe></header><article><h1>Framed</h1>
      <p>${text.repeat(4)}</p><iframe src="/frames/first"></iframe><p>${text.repeat(4)}</p></article>
      <iframe src="/frames/hidden" style="display: none"></iframe><iframe src="/frames/hidden" hidden></iframe>
      <iframe src="/frames/second"></iframe><iframe class="advert" src="/frames/advert"></iframe>
      <footer><iframe src="/frames/foot"></iframe></footer><script>"runs"</script>`,
  });
  for (const name of ["head", "hidden", "second", "advert", "foot"])
    site.pages.set(`/frames/${name}`, { body: `<p>From ${name}</p>` });
  site.pages.set("/frames/first", {
    body: `<nav>Frame's navigation</nav><main><h2>Within</h2><p>From first</p></main>
      <p class="advert">Buy</p><iframe src="/frames/second"></iframe><script>evil()</script>`,
  });
  const exclude_tags = [".advert"];
  const said = text.repeat(4).trim();
  assert.equal(
    await markdownOf("/framed", { exclude_tags }),
    `# Framed\n\n${said}\n\n${said}\n\n## Within\n\nFrom first\n\nFrom second`,
  );
  for (const name of ["head", "hidden", "advert", "foot"]) assert.equal(site.visitsTo(`/frames/${name}`), 0);
  site.pages.set("/frameset", {
    body: `<html><frameset cols="50%,50%"><frame src="/frames/head"><frame src="/frames/second"></frameset></html>`,
  });
  assert.equal(await markdownOf("/frameset"), "From head\n\nFrom second");
});

test("the whole page has what surrounds the article and its own frames, but no navigation, script or style", async () => {
  const markdown = await markdownOf("/tea/article.html", { only_main_content: false });
  for (const part of ["The site's header", "# Brewing tea", "Buy our kettles", "Imprint", "Written frame"])
    assert.ok(markdown.includes(part), part);
  assert.ok(markdown.includes(`Framed text with [more](${site.origin}/more.html)`), markdown);
  assert.doesNotMatch(markdown, /Shop|evil|from a script|color: red|Frame navigation|elsewhere/);
});

test("formats are given as asked: HTML, the page as it came, links and images", async () => {
  const formats = ["html", "rawHtml", "links", "images"];
  const { output } = await bench.scrape({ url: `${site.origin}/tea/article.html`, formats });
  const { html, rawHtml, links, images, markdown } = output;
  assert.ok(typeof html === "string" && html.includes("<h1>Brewing tea</h1>"));
  assert.ok(html.includes(`<a href="${site.origin}/tea/water.html?a=1&b=2">`));
  assert.doesNotMatch(html, /<nav|<script|Imprint/);
  assert.equal(rawHtml, article);
  assert.deepEqual(links, [
    `${site.origin}/shop`,
    `${site.origin}/`,
    `${site.origin}/tea/water.html?a=1&b=2`,
    `${site.origin}/tea/article.html`,
  ]);
  assert.deepEqual(images, [`${site.origin}/img/cup.png`, `${site.origin}/tea/late.png`]);
  assert.equal(markdown, undefined);
});

test("only the chosen tags are read, in the page's order, and none of the excluded ones", async () => {
  const chosen = await markdownOf("/tea/article.html", { include_tags: ["table", "h1", "td", "footer"] });
  assert.match(chosen, /^# Brewing tea\n\n\| Tea \| °C \|\n[^]*\n\nImprint$/);
  assert.equal(chosen.match(/Green/g)?.length, 1);
  const rest = await markdownOf("/tea/article.html", { exclude_tags: ["table", ".language-js", "h2"] });
  assert.doesNotMatch(rest, /Green|minutes = 3|Temperatures/);
  assert.match(rest, /Brewing tea/);
});

test("a page without an article is read without what surrounds it", async () => {
  const items = Array.from(
    { length: 30 },
    (_, at) => `<li><a href="/item/${at}">Item ${at}</a> costs ${at} coins</li>`,
  );
  site.pages.set("/list", {
    body: `<body><nav>Nav</nav><header>Head</header><h1>All items</h1><ul>${items.join("")}</ul><footer>Foot</footer>`,
  });
  const markdown = await markdownOf("/list");
  assert.match(markdown, /^# All items/);
  for (let at = 0; at < 30; at++)
    assert.ok(markdown.includes(`- [Item ${at}](${site.origin}/item/${at}) costs ${at} coins`));
  assert.doesNotMatch(markdown, /Nav|Head|Foot/);
});

test("spans and tables that only arrange a page do not break the text", async () => {
  site.pages.set("/tables", {
    body: `<body><table><tr><td><h2>Left</h2><p>One</p></td><td><table><tr><th>a</th><th>b</th></tr>
      <tr><td colspan="2">both</td></tr><tr><td rowspan="2">tall</td><td>x</td></tr><tr><td>y</td></tr></table></td></tr></table>`,
  });
  assert.equal(
    await markdownOf("/tables", { only_main_content: false }),
    "## Left\n\nOne\n\n| a | b |\n| --- | --- |\n| both |  |\n| tall | x |\n|  | y |",
  );
});

test("the charset is taken from the mark, the header, the page, or from what the bytes are", async () => {
  const cases: readonly [path: string, contentType: string, body: Uint8Array, text: string][] = [
    [
      "/header",
      "text/html; charset=windows-1251",
      Buffer.from([0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2]),
      "Привет",
    ],
    [
      "/meta",
      "text/html",
      Buffer.concat([Buffer.from('<meta charset="shift_jis"><p>'), Buffer.from([0x93, 0xfa, 0x96, 0x7b])]),
      "日本",
    ],
    [
      "/http-equiv",
      "text/html",
      Buffer.from(
        '<meta http-equiv="Content-Type" content="text/html; charset=iso-8859-2"><p>\xbe',
        "latin1",
      ),
      "ž",
    ],
    ["/mark", "text/html; charset=latin1", Buffer.from("\ufeffgrün", "utf16le"), "grün"],
    ["/utf-8", "text/html", Buffer.from("<p>grün 日本", "utf8"), "grün 日本"],
    ["/old", "text/html", Buffer.from("<p>gr\xfcn \x80", "latin1"), "grün €"],
    ["/unknown", "text/html; charset=no-such-thing", Buffer.from("<p>grün", "utf8"), "grün"],
  ];
  for (const [path, contentType, body, text] of cases) {
    site.pages.set(path, { headers: { "content-type": contentType }, body });
    assert.equal(await markdownOf(path, { only_main_content: false }), text, path);
  }
});

test("a redirect is followed, and both addresses are told", async () => {
  site.pages.set("/moved", { status: 301, headers: { location: "/tea/article.html" } });
  const { output } = await bench.scrape({ url: `${site.origin}/moved#part` });
  assert.ok(String(output["markdown"]).includes(`${site.origin}/tea/water.html`));
  const metadata = output["metadata"] as Record<string, unknown>;
  assert.equal(metadata["sourceURL"], `${site.origin}/moved#part`);
  assert.equal(metadata["url"], `${site.origin}/tea/article.html`);
});

test("text and data are handed on as they are, documents are read, and other files are refused", async () => {
  site.pages.set("/data", { headers: { "content-type": "application/ld+json" }, body: `{"a": [1, 2]}` });
  assert.equal(await markdownOf("/data"), `{"a": [1, 2]}`);
  site.pages.set("/notes", {
    headers: { "content-type": "text/markdown" },
    body: "# Notes\n\n*as* written <b>\n",
  });
  assert.equal(await markdownOf("/notes"), "# Notes\n\n*as* written <b>");
  const pdf = await onePagePdf("Said in a PDF");
  site.pages.set("/paper", { headers: { "content-type": "application/pdf" }, body: pdf });
  const { output } = await bench.scrape({ url: `${site.origin}/paper` });
  assert.equal(output["markdown"], "Said in a PDF");
  assert.equal((output["metadata"] as Record<string, unknown>)["numPages"], 1);
  site.pages.set("/cat.png", {
    headers: { "content-type": "image/png" },
    body: Buffer.from("\x89PNG\r\n\x1a\n"),
  });
  await assert.rejects(bench.scrape({ url: `${site.origin}/cat.png` }), problem("invalid_request", "url"));
});

test("a page that answers with an error, or with nothing, is shown and costs nothing", async () => {
  const missing = await bench.scrape({ url: `${site.origin}/missing` });
  assert.equal((missing.output["metadata"] as Record<string, unknown>)["statusCode"], 404);
  assert.deepEqual([missing.isEmpty, missing.usage], [true, { requests: 0 }]);
  site.pages.set("/blank", { body: "<title>Nothing</title><script>1</script>" });
  const blank = await bench.scrape({ url: `${site.origin}/blank` });
  assert.deepEqual([blank.output["markdown"], blank.isEmpty], ["", true]);
});

test("several pages are read in one run, in their order; one that fails says so in its place", async () => {
  site.pages.set("/short", { body: "<p>Short text" });
  const urls = ["/short", "/missing", "/tea/article.html"].map((path) => site.origin + path);
  const { output, usage, isEmpty } = await bench.scrape({ urls: [...urls, "http://10.0.0.1/"] });
  const results = output["results"] as readonly Record<string, unknown>[];
  assert.deepEqual(
    results.map((result) => (result["metadata"] as Record<string, unknown>)["sourceURL"]),
    [...urls, "http://10.0.0.1/"],
  );
  assert.equal(results[0]?.["markdown"], "Short text");
  assert.match(String(results[2]?.["markdown"]), /^# Brewing tea/);
  assert.deepEqual(results[3]?.["error"], {
    code: "url_not_allowed",
    message: "This address may not be fetched.",
  });
  assert.deepEqual([usage, isEmpty], [{ requests: 2 }, false]);
});

test("inputs that cannot be meant are refused by name", async () => {
  const url = `${site.origin}/short`;
  const cases: readonly [inputs: Record<string, unknown>, param: string][] = [
    [{}, "url"],
    [{ url, urls: [url] }, "url"],
    [{ url: "tea" }, "url"],
    [{ url: "ftp://example.com/" }, "url"],
    [{ urls: Array.from({ length: 11 }, () => url) }, "urls"],
    [{ url, formats: ["markdown", "summary"] }, "formats.1"],
    [{ url, headers: { Cookie: "a=1" } }, "headers.Cookie"],
    [{ url, headers: { authorization: "Bearer x" } }, "headers.authorization"],
    [{ url, headers: { "x-note": "two\r\nlines" } }, "headers.x-note"],
    [{ url, include_tags: ["p", "((("] }, "include_tags"],
    [{ url, timeout_ms: 1 }, "timeout_ms"],
    [{ url, timeout: 1 }, "timeout"],
    [{ url, wait_for: 60_001 }, "wait_for"],
  ];
  for (const [inputs, param] of cases)
    await assert.rejects(bench.scrape(inputs), problem("invalid_request", param), JSON.stringify(inputs));
});

test("a page hears who asks, and the customer's own headers", async () => {
  await bench.scrape({
    url: `${site.origin}/short`,
    headers: { "Accept-Language": "de", "x-note": "hello" },
  });
  const headers = site.visits.findLast((visit) => visit.url === "/short")?.headers;
  assert.match(headers?.["user-agent"] ?? "", /SkillBossBot/);
  assert.deepEqual([headers?.["accept-language"], headers?.["x-note"]], ["de", "hello"]);
  await bench.scrape({ url: `${site.origin}/short`, mobile: true });
  assert.match(site.visits.at(-1)?.headers["user-agent"] ?? "", /Mobile.*SkillBossBot/);
});

test("an address that may not be fetched is refused, named or redirected to", async () => {
  await assert.rejects(
    bench.scrape({ url: "http://169.254.169.254/latest" }),
    problem("url_not_allowed", "url"),
  );
  site.pages.set("/to-inside", { status: 302, headers: { location: "http://127.0.0.1:1/" } });
  await assert.rejects(bench.scrape({ url: `${site.origin}/to-inside` }), problem("url_not_allowed", "url"));
});

test("a site that does not answer ends with the time the customer gave it", async () => {
  site.pages.set("/never", () => {});
  const begun = performance.now();
  await assert.rejects(
    bench.scrape({ url: `${site.origin}/never`, timeout_ms: 1000 }),
    problem("upstream_timeout", "url"),
  );
  assert.ok(performance.now() - begun < 20_000);
  await assert.rejects(
    bench.scrape({ url: `${site.origin}/never`, timeout: 1000 }),
    problem("upstream_timeout", "url", /within 1 seconds/),
  );
});

test("a canceled run ends at once with its reason", async () => {
  const cancel = new AbortController();
  site.pages.set("/slow", () => cancel.abort(new Error("canceled")));
  await assert.rejects(bench.scrape({ url: `${site.origin}/slow` }, cancel.signal), /^Error: canceled$/);
});

test("a site that breaks off, says too much, or cannot be reached is an error of its own", async () => {
  site.pages.set("/broken", (_, response) => {
    response.writeHead(200, { "content-length": "1000" });
    response.write("<p>half");
    response.socket?.end();
  });
  await assert.rejects(
    bench.scrape({ url: `${site.origin}/broken` }),
    problem("upstream_invalid_response", "url"),
  );
  site.pages.set("/large", { body: Buffer.alloc(21 * 1024 * 1024, 0x20) });
  await assert.rejects(
    bench.scrape({ url: `${site.origin}/large` }),
    problem("invalid_request", "url", /larger than 20 MB/),
  );
  const gone = await startSite();
  const goneBench = scrapeBench(gone);
  await gone.stop();
  await assert.rejects(goneBench.scrape({ url: gone.origin }), problem("upstream_error", "url"));
  await goneBench.stop();
});

test("a page that is nested without end keeps its text", async () => {
  const body = `${"<div>".repeat(20_000)}far inside${"</div>".repeat(20_000)}<p>After it`;
  site.pages.set("/deep", { body });
  assert.equal(await markdownOf("/deep", { only_main_content: false }), "far inside\n\nAfter it");
});

test("a page of 10 MB is read to its end, and one of more elements than can be read is refused at once", async () => {
  const paragraph = (at: number): string => `<p>${"Many words ".repeat(45)} in paragraph ${at}.</p>\n`;
  site.pages.set("/long", { body: Array.from({ length: 19_100 }, (_, at) => paragraph(at)).join("") });
  const markdown = await markdownOf("/long", { timeout_ms: 120_000 });
  assert.ok(markdown.length > 9_800_000, String(markdown.length));
  assert.match(markdown.slice(-50), /in paragraph 19099\.$/);
  site.pages.set("/crowded", { body: "<b>x</b>".repeat(250_000) });
  await assert.rejects(
    bench.scrape({ url: `${site.origin}/crowded` }),
    problem("invalid_request", "url", /too many elements/),
  );
});
