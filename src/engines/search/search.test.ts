import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, beforeEach, test } from "node:test";
import { Problem } from "../../core/problems.ts";
import type { ProblemCode } from "../../core/problems.ts";
import type { JsonObject } from "../../core/json-object.ts";
import type { EngineResult } from "../engine.ts";
import { searchEngine } from "./search.ts";

type Found = {
  readonly url: string;
  readonly title?: string | null;
  readonly content?: string;
  readonly score?: number;
};

/** As a SearXNG server answers, which holds these pages of results. */
type Server =
  | { readonly pages: readonly (readonly Found[])[] }
  | { readonly status: number; readonly body: string };

let served: Server;
let asked: URL[];
let url: string;

const server = createServer((request, response) => {
  const target = new URL(request.url ?? "", "http://searxng");
  asked.push(target);
  if ("status" in served) {
    response.writeHead(served.status).end(served.body);
    return;
  }
  const results = served.pages[Number(target.searchParams.get("pageno")) - 1] ?? [];
  const query = target.searchParams.get("q");
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify({ query, number_of_results: 0, results, answers: [], suggestions: [] }));
});

before(async () => {
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/searxng/`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  asked = [];
  served = { pages: [] };
});

function search(inputs: JsonObject, signal = new AbortController().signal): Promise<EngineResult> {
  const fetchFile = (): Promise<never> => Promise.reject(new Error("no file is asked for here"));
  return searchEngine({ searxngUrl: url }).run({ inputs, signal, fetchFile });
}

function found(from: number, count: number): readonly Found[] {
  return Array.from({ length: count }, (_, at) => ({
    url: `https://n${from + at}.example/`,
    title: `N${from + at}`,
  }));
}

function urlsOf({ output }: EngineResult): readonly string[] {
  return (output["results"] as readonly { readonly url: string }[]).map((result) => result.url);
}

function problem(code: ProblemCode, param: string | null = null) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof Problem, String(error));
    assert.deepEqual([error.code, error.param], [code, param]);
    return true;
  };
}

test("results have a name, an address, their text and a score", async () => {
  served = { pages: [[{ url: "https://a.example/tea", title: "Tea", content: "About tea.", score: 1.5 }]] };
  const { output, usage, isEmpty, files } = await search({ query: " green tea & more ", language: "en-GB" });
  assert.deepEqual(output, {
    results: [
      {
        type: "text",
        name: "Tea",
        title: "Tea",
        url: "https://a.example/tea",
        content: "About tea.",
        score: 1.5,
      },
    ],
  });
  assert.deepEqual({ usage, isEmpty, files }, { usage: { requests: 1 }, isEmpty: false, files: [] });
  assert.equal(asked[0]?.pathname, "/searxng/search");
  assert.deepEqual(Object.fromEntries(asked[0]?.searchParams ?? []), {
    q: "green tea & more",
    format: "json",
    pageno: "1",
    language: "en-GB",
  });
});

test("as many pages are asked for as it takes, and no result comes twice", async () => {
  served = { pages: [found(0, 8), found(5, 8), found(13, 8), found(21, 8)] };
  const urls = urlsOf(await search({ q: "tea", max_results: 18 }));
  assert.deepEqual(
    urls,
    found(0, 18).map((result) => result.url),
  );
  assert.equal(asked.length, 3);
  served = { pages: [found(0, 3), found(0, 3)] };
  asked = [];
  assert.equal(urlsOf(await search({ q: "tea" })).length, 3);
  assert.equal(asked.length, 2);
});

test("results from other places than those that were asked for are left out", async () => {
  const addresses = [
    "https://www.a.example/1",
    "https://nota.example/2",
    "https://b.example/3",
    "ftp://a.example/4",
  ];
  served = { pages: [addresses.map((address) => ({ url: address }))] };
  assert.deepEqual(urlsOf(await search({ q: "tea", include_domains: ["a.example"] })), [addresses[0]]);
  assert.equal(asked[0]?.searchParams.get("q"), "tea site:a.example");
  assert.deepEqual(urlsOf(await search({ q: "tea", exclude_domains: ["a.example", "b.example"] })), [
    addresses[1],
  ]);
});

test("a search without results costs nothing", async () => {
  const { output, isEmpty } = await search({ query: "nothing" });
  assert.deepEqual([output, isEmpty], [{ results: [] }, true]);
});

test("inputs that cannot be meant are refused by name", async () => {
  await assert.rejects(search({}), problem("invalid_request", "query"));
  await assert.rejects(search({ query: "  " }), problem("invalid_request", "query"));
  await assert.rejects(search({ q: "x".repeat(3000) }), problem("invalid_request", "q"));
  await assert.rejects(search({ q: "tea", max_results: 51 }), problem("invalid_request", "max_results"));
  // What `linkup/search` can do and this cannot: an answer of another form than asked for would be wrong.
  for (const output_type of ["sourcedAnswer", "structured"])
    await assert.rejects(search({ q: "tea", output_type }), problem("invalid_request", "output_type"));
  for (const day of ["from_date", "to_date"])
    await assert.rejects(search({ q: "tea", [day]: "2026-01-01" }), problem("invalid_request", day));
  assert.equal(asked.length, 0);
});

test("a server that refuses, sends nonsense or too much is an error, not a search without results", async () => {
  for (const [status, body, code] of [
    [403, "Forbidden", "upstream_error"],
    [302, "", "upstream_error"],
    [200, "<html>", "upstream_invalid_response"],
    [200, `{"results": [{"title": "no url"}]}`, "upstream_invalid_response"],
    [200, `{"results": []}${" ".repeat(9 * 1024 * 1024)}`, "upstream_error"],
  ] as const) {
    served = { status, body };
    await assert.rejects(search({ q: "tea" }), problem(code));
  }
});

test("a canceled search ends with its reason", async () => {
  const cancel = new AbortController();
  const reason = new Error("canceled");
  cancel.abort(reason);
  await assert.rejects(search({ q: "tea" }, cancel.signal), reason);
});

test("without a server the engine says what to set", async () => {
  for (const searxngUrl of [undefined, "not an address"]) {
    const engine = searchEngine({ searxngUrl });
    assert.equal(engine.missing(), "Set SKILLBOSS_SEARXNG_URL to a SearXNG server.");
  }
  assert.equal(searchEngine({ searxngUrl: url }).missing(), undefined);
});
