import assert from "node:assert/strict";
import { test } from "node:test";
import { Problem } from "../../core/problems.ts";
import { endpointFaults } from "./compile-endpoint.ts";
import { contextOf, endpoint, faultsIn, wireOf } from "./run-under-test.ts";

test("all faults of an endpoint are told at once, with the names that its file has", () => {
  const declared = endpoint({
    request: {
      path: "/a/../b",
      encoding: "none",
      body: { a: "$.res.b" },
      query: { q: "$.submit.id" },
      headers: { host: "x", "x-a": "$.env.a" },
    },
    errors: { when: "$.poll.x", code: "$.res.code" },
    polling: {
      skipWhen: "$.poll.x",
      poll: { path: "/x/{poll.next}" },
      cancel: {},
      status: "$.res.status",
      done: [],
      intervalMs: 0,
      maxIntervalMs: -1,
    },
    fetches: [
      { as: "res", path: "/x" },
      { as: "big", path: "/y/{later.id}", url: "$.poll.url" },
      { as: "later", path: "/z?x=1", pages: { next: "$.res.next", items: "$.res.items", maxPages: 0 } },
    ],
    output: { a: "$.big.a", b: "$.none" },
    emptyWhen: { $eq: [1] },
    meters: [
      { meter: "pages", reserve: "$.res.pages" },
      { meter: "pages", reserve: -1 },
      { meter: "bananas" },
      { meter: "images", reserve: "one" },
    ],
  });
  assert.deepEqual(
    faultsIn(declared).map((fault) => fault.slice(0, fault.indexOf(":"))),
    [
      "request.encoding",
      "request.path",
      "request.query.q",
      "request.headers.host",
      "request.body.a",
      "errors.when",
      "polling.done",
      "polling.interval_ms",
      "polling.max_interval_ms",
      "polling.poll.path",
      "polling.cancel",
      "polling.skip_when",
      "fetches[0].as",
      "fetches[1]",
      "fetches[2].path",
      "fetches[2].pages.max_pages",
      "output.b",
      "empty_when.$eq",
      "meters[0].reserve",
      "meters[1].meter",
      "meters[1].reserve",
      "meters[2].meter",
      "meters[3].reserve",
    ],
  );
  assert.equal(endpointFaults(declared).length, 23);
  assert.deepEqual(endpointFaults(endpoint({ request: { path: "/x" } })), []);
});

test("paths are plain and lie below the provider's address", () => {
  for (const path of [
    "x",
    "//x",
    "/x?y=1",
    "/x#y",
    "/x y",
    "/..",
    "/x/{inputs.a",
    "/x/{}",
    "/x/{inputs.[}",
    "/a\\b",
  ]) {
    assert.equal(faultsIn(endpoint({ request: { path } })).length, 1, path);
  }
});

test("a question of an endpoint without polling knows no poll, and `next` is known to pages alone", () => {
  assert.equal(faultsIn(endpoint({ request: { path: "/x" }, output: { a: "$.poll.a" } })).length, 1);
  const pages = { next: "$.res.next", items: "$.res.items", maxPages: 2 };
  const query = { cursor: "$.next" };
  const one = { as: "list", path: "/list", query };
  assert.equal(faultsIn(endpoint({ request: { path: "/x" }, fetches: [one] })).length, 1);
  assert.deepEqual(faultsIn(endpoint({ request: { path: "/x" }, fetches: [{ ...one, pages }] })), []);
});

test("uploads belong into multipart bodies and files into outputs", () => {
  const upload = { file: { $upload: { base64: "$.inputs.file" } } };
  const file = { file: { $file: { url: "$.res.url" } } };
  assert.equal(faultsIn(endpoint({ request: { path: "/x", body: upload } })).length, 1);
  assert.deepEqual(faultsIn(endpoint({ request: { path: "/x", encoding: "multipart", body: upload } })), []);
  assert.equal(faultsIn(endpoint({ request: { path: "/x" }, output: upload })).length, 1);
  assert.equal(faultsIn(endpoint({ request: { path: "/x" }, emptyWhen: file })).length, 1);
  assert.deepEqual(faultsIn(endpoint({ request: { path: "/x" }, output: file })), []);
});

function reserved(reserve: Parameters<typeof endpoint>[0]["meters"], inputs: object): unknown {
  const wire = wireOf(endpoint({ request: { path: "/x" }, meters: reserve ?? [] }));
  try {
    return wire.reserve(contextOf({ ...inputs }, { env: { most: "7" } }));
  } catch (error) {
    return error instanceof Problem ? `${error.status} ${error.param}` : error;
  }
}

test("the reserve is a number of zero or more, or a refusal that names the input", () => {
  const seconds = [{ meter: "video_seconds", reserve: { $num: "$.inputs.duration" } }];
  assert.deepEqual(reserved(seconds, { duration: "5s" }), { video_seconds: 5 });
  assert.deepEqual(reserved(seconds, { duration: 0 }), { video_seconds: 0 });
  for (const duration of [undefined, null, "long", -1, 1e13, Number.NaN, Infinity, {}, "$.inputs.other"]) {
    assert.equal(reserved(seconds, { duration }), "400 inputs.duration", JSON.stringify(duration));
  }
  const two = [{ meter: "images", reserve: { $mul: ["$.inputs.a", "$.inputs.b"] } }];
  assert.equal(reserved(two, { a: 1 }), "400 inputs");
  assert.deepEqual(reserved([{ meter: "pages", reserve: { $num: "$.env.most" } }], {}), { pages: 7 });
  assert.equal(reserved([{ meter: "pages", reserve: "$.env.none" }], {}), "500 null");
  assert.deepEqual(reserved([], {}), {});
});
