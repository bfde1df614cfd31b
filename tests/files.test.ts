import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import sharp from "sharp";
import { newId } from "../src/core/ids.ts";
import { ask, startFilesHouse } from "./support/files-house.ts";
import type { FilesCustomer, FilesHouse, JsonAnswer } from "./support/files-house.ts";

/** Files once they are there: what is shown of them, who may read them, and how their bytes are served. */

let house: FilesHouse;
let ada: FilesCustomer;
let bob: FilesCustomer;

before(async () => {
  house = await startFilesHouse();
  ada = await house.customer();
  bob = await house.customer();
});
after(() => house.stop());

async function upload(
  body: string | Uint8Array<ArrayBuffer>,
  name: string,
  type = "text/plain",
  key = ada.key,
): Promise<JsonAnswer["body"]> {
  const address = `${house.url}/v1/files?name=${encodeURIComponent(name)}`;
  const answer = await ask(address, key, { method: "POST", headers: { "content-type": type }, body });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
}

/** Without the request's id, which differs between any two answers. */
function refusalOf({ status, headers, body }: JsonAnswer) {
  assert.match(body.error.request_id, /^req_/);
  const { request_id: _, ...error } = body.error;
  return { status, error, headers: [...headers.keys()].toSorted() };
}

const notFound = {
  message: "There is no such file.",
  type: "invalid_request_error",
  code: "not_found",
  param: null,
};

test("an upload is answered as OpenAI does, with where and how long its content can be had", async () => {
  const file = await upload("Hello", "../Grüße.txt");
  const now = house.clock.now() / 1000;
  assert.match(file.id, /^file_[0-9a-f]{32}$/);
  assert.deepEqual(file, {
    id: file.id,
    object: "file",
    bytes: 5,
    created_at: now,
    expires_at: now + 86_400,
    filename: "Grüße.txt",
    purpose: "user_data",
    status: "processed",
    content_type: "text/plain",
    run_id: null,
    url: file.url,
  });
  assert.ok(
    file.url.startsWith(`${house.url}/v1/files/${file.id}/content?expires=${now + 86_400}&signature=`),
  );
  const read = await ask(`${house.url}/v1/files/${file.id}`, ada.key);
  assert.deepEqual([read.status, read.body], [200, file]);
  const content = await fetch(file.url);
  assert.equal(await content.text(), "Hello");
});

test("the address works without a key, and the account's key without the signature", async () => {
  const file = await upload("Hello", "a.txt");
  const bare = file.url.split("?")[0];
  const authorization = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });
  assert.equal((await fetch(file.url, authorization("sk-wrong"))).status, 200);
  assert.equal(await (await fetch(bare, authorization(ada.key))).text(), "Hello");
  assert.deepEqual(refusalOf(await ask(bare, undefined)).error, notFound);
  assert.deepEqual(refusalOf(await ask(bare, bob.key)).error, notFound);
  assert.equal((await ask(bare, "sk-wrong")).body.error.code, "invalid_api_key");
});

test("T-01 another account's file is refused like a random id, by every door, and stays as it was", async () => {
  const file = await upload("mine", "a.txt");
  const otherMode = await house.otherMode(ada);
  for (const [method, path] of [
    ["GET", ""],
    ["DELETE", ""],
    ["GET", "/content"],
  ] as const) {
    const asked = (id: string, key: string) => ask(`${house.url}/v1/files/${id}${path}`, key, { method });
    const random = refusalOf(await asked(newId("file"), bob.key));
    assert.deepEqual([random.status, random.error], [404, notFound]);
    for (const key of [bob.key, otherMode]) {
      assert.deepEqual(refusalOf(await asked(file.id, key)), random, `${method} ${path}`);
      for (const strange of ["x", "..%2f..", "%F0%9F%8E%88", `${file.id}%20`])
        assert.deepEqual(refusalOf(await asked(strange, key)), random, strange);
    }
  }
  assert.deepEqual((await ask(`${house.url}/v1/files`, bob.key)).body.data, []);
  assert.equal(await (await fetch(file.url)).text(), "mine");
});

test("T-01 an address that was tampered with or has run out is refused like an unknown file", async () => {
  const file = await upload("mine", "a.txt");
  const theirs = await upload("theirs", "b.txt", "text/plain", bob.key);
  const url = new URL(file.url);
  const changed = (change: (copy: URL) => void): string => {
    const copy = new URL(url);
    change(copy);
    return copy.href;
  };
  const flipped =
    url.searchParams.get("signature")?.replace(/.$/, (last) => (last === "A" ? "B" : "A")) ?? "";
  const random = refusalOf(
    await ask(
      changed((copy) => (copy.pathname = `/v1/files/${newId("file")}/content`)),
      undefined,
    ),
  );
  assert.deepEqual([random.status, random.error], [404, notFound]);
  for (const address of [
    changed((copy) => (copy.pathname = new URL(theirs.url).pathname)),
    changed((copy) => copy.searchParams.set("expires", String(Number(url.searchParams.get("expires")) + 1))),
    changed((copy) => copy.searchParams.set("expires", "9999999999999")),
    changed((copy) => copy.searchParams.delete("expires")),
    changed((copy) => copy.searchParams.set("signature", flipped)),
    changed((copy) => copy.searchParams.set("signature", "")),
    changed((copy) => copy.searchParams.delete("signature")),
  ])
    assert.deepEqual(refusalOf(await ask(address, undefined)), random, address);
  house.clock.turn({ seconds: 86_399 });
  assert.equal((await fetch(file.url)).status, 200);
  house.clock.turn({ seconds: 1 });
  assert.deepEqual(refusalOf(await ask(file.url, undefined)), random);
  assert.deepEqual((await ask(`${house.url}/v1/files/${file.id}`, ada.key)).body.error.code, "not_found");
});

test("a list goes page by page, newest first, and only over the key's account and mode", async () => {
  const carol = await house.customer();
  const ids: string[] = [];
  for (let count = 0; count < 5; count += 1) {
    ids.unshift((await upload(`${count}`, "a.txt", "text/plain", carol.key)).id);
    house.clock.turn({ seconds: 1 });
  }
  const list = (query: string) => ask(`${house.url}/v1/files${query}`, carol.key);
  const order = ids.toSorted().toReversed();
  const first = (await list("?limit=2")).body;
  assert.deepEqual([first.object, first.has_more, first.last_id], ["list", true, order[1]]);
  const second = (await list(`?limit=3&after=${first.last_id}`)).body;
  assert.equal(second.has_more, false);
  assert.deepEqual(
    [...first.data, ...second.data].map((file) => file.id),
    order,
  );
  assert.equal((await list("")).body.data.length, 5);
  assert.equal((await list("?limit=10000")).body.data.length, 5);
  assert.deepEqual((await ask(`${house.url}/v1/files`, await house.otherMode(carol))).body.data, []);
  for (const query of ["?limit=0", "?limit=10001", "?limit=x", "?limit=1e2", "?after=x", "?after="])
    assert.equal((await list(query)).status, 400, query);
});

test("a removed file and its address are gone", async () => {
  const file = await upload("x", "a.txt");
  const remove = () => ask(`${house.url}/v1/files/${file.id}`, ada.key, { method: "DELETE" });
  const removed = await remove();
  assert.deepEqual([removed.status, removed.body], [200, { id: file.id, object: "file", deleted: true }]);
  assert.ok(!house.stored().includes(file.id));
  assert.equal((await remove()).status, 404);
  assert.equal((await fetch(file.url)).status, 404);
});

test("files need a key, and no method does more than it says", async () => {
  for (const [method, path] of [
    ["GET", "/v1/files"],
    ["POST", "/v1/files"],
    ["GET", `/v1/files/${newId("file")}`],
    ["DELETE", `/v1/files/${newId("file")}`],
  ] as const)
    assert.equal((await ask(house.url + path, undefined, { method })).status, 401, `${method} ${path}`);
  assert.equal((await ask(`${house.url}/v1/files/x/content`, ada.key, { method: "POST" })).status, 405);
});

test("X-07 what is served cannot act as a page of ours, whatever it is and whatever it is called", async () => {
  const picture = await sharp({ create: { width: 2, height: 2, channels: 3, background: "red" } })
    .png()
    .toBuffer();
  const page = "<!doctype html><script>alert(1)</script>";
  const cases: readonly (readonly [body: string | Buffer, claimed: string, type: string, how: string])[] = [
    [page, "text/html", "text/plain; charset=utf-8", "attachment"],
    [
      '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
      "image/svg+xml",
      "text/plain; charset=utf-8",
      "attachment",
    ],
    [page, "image/png", "text/plain; charset=utf-8", "attachment"],
    [picture, "text/html", "image/png", "inline"],
    ["%PDF-1.7\n", "application/pdf", "application/pdf", "attachment"],
    ["a,b\n", "text/csv", "text/csv; charset=utf-8", "attachment"],
    ['{"a":1}', "application/json", "application/json", "attachment"],
    ["\0\x01", "text/html", "application/octet-stream", "attachment"],
  ];
  for (const [body, claimed, type, how] of cases) {
    const bytes = typeof body === "string" ? Buffer.from(body, "latin1") : body;
    const file = await upload(new Uint8Array(bytes), '<img src=x onerror="alert(1)">.html', claimed);
    const answer = await fetch(file.url);
    assert.equal(answer.status, 200);
    const { headers } = answer;
    assert.equal(headers.get("content-type"), type);
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.equal(headers.get("content-security-policy"), "sandbox; default-src 'none'");
    assert.equal(headers.get("cache-control"), "private, max-age=86400");
    assert.match(headers.get("x-request-id") ?? "", /^req_/);
    assert.equal(
      headers.get("content-disposition"),
      `${how}; filename="<img src=x onerror=_alert(1)_>.html"; ` +
        "filename*=UTF-8''%3Cimg%20src%3Dx%20onerror%3D%22alert%281%29%22%3E.html",
    );
    assert.ok(Buffer.from(await answer.arrayBuffer()).equals(bytes));
  }
});

test("a Range is answered with exactly that part", async () => {
  const bytes = Buffer.from("0123456789");
  const file = await upload(new Uint8Array(bytes), "digits.txt");
  const part = async (range: string, more: Record<string, string> = {}) => {
    const answer = await fetch(file.url, { headers: { range, ...more } });
    return [answer.status, answer.headers.get("content-range"), await answer.text()];
  };
  assert.deepEqual(await part("bytes=0-0"), [206, "bytes 0-0/10", "0"]);
  assert.deepEqual(await part("bytes=2-5"), [206, "bytes 2-5/10", "2345"]);
  assert.deepEqual(await part("bytes=7-"), [206, "bytes 7-9/10", "789"]);
  assert.deepEqual(await part("bytes=-3"), [206, "bytes 7-9/10", "789"]);
  assert.deepEqual(await part("bytes=0-99"), [206, "bytes 0-9/10", "0123456789"]);
  assert.deepEqual(await part("bytes=10-"), [416, "bytes */10", ""]);
  assert.deepEqual(await part("bytes=1-2,4-5"), [200, null, "0123456789"]);
  assert.deepEqual(await part("nonsense"), [200, null, "0123456789"]);
  const whole = await fetch(file.url);
  const etag = whole.headers.get("etag") ?? "";
  assert.equal(whole.headers.get("accept-ranges"), "bytes");
  assert.equal(whole.headers.get("content-length"), "10");
  assert.deepEqual(await part("bytes=7-", { "if-range": etag }), [206, "bytes 7-9/10", "789"]);
  assert.deepEqual(await part("bytes=7-", { "if-range": '"another"' }), [200, null, "0123456789"]);
});

test("what a browser may keep of a file it may keep no longer than the file lives", async () => {
  const file = await upload("x", "a.txt");
  house.clock.turn({ seconds: 80_000 });
  assert.equal((await fetch(file.url)).headers.get("cache-control"), "private, max-age=6400");
});

test("nothing failed unseen", () => assert.deepEqual(house.errors, []));
