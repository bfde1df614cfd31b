import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { PassThrough, Readable } from "node:stream";
import { newId } from "../core/ids.ts";
import { Problem } from "../core/problems.ts";
import { fileLimits } from "./file-limits.ts";
import type { FileRecord } from "./file-rows.ts";
import { mostWritingMs } from "./file-rows.ts";
import { bodyOf, newOwner, openFiles } from "./files-under-test.ts";
import type { FilesUnderTest } from "./files-under-test.ts";

const dayMs = 86_400_000;
const limits = { maxBytes: 1000, lifetimeMs: dayMs };

// Before the first suite: the runner ends a file's hooks as soon as the suites known so far have ended.
const homes = await Promise.all(
  (["embedded", "postgres"] as const).map(async (name) => ({ name, home: await openFiles(name) })),
);
after(async () => {
  for (const { home } of homes) if (typeof home !== "string") await home.close();
});

const isNotFound = { name: "Problem", code: "not_found", message: "There is no such file." };

async function textOf(house: FilesUnderTest, file: FileRecord): Promise<string> {
  const pieces: Buffer[] = await (await house.files.open(file)).toArray();
  return Buffer.concat(pieces).toString();
}

/** The parts of an address of ours, as a door hands them in. */
function linkIn(url: string) {
  const { pathname, searchParams } = new URL(url);
  return {
    id: pathname.split("/").at(-2) ?? "",
    expires: searchParams.get("expires") ?? "",
    signature: searchParams.get("signature") ?? "",
  };
}

for (const { name, home } of homes) {
  if (typeof home === "string") test(`files on ${name}`, { skip: home }, () => undefined);
  else describe(`files on ${name}`, () => suiteOf(home));
}

function suiteOf(house: FilesUnderTest): void {
  const { files, clock } = house;

  test("what was stored is read with all that is known of it", async () => {
    const owner = newOwner();
    const runId = newId("call");
    const file = await files.store({
      ...owner,
      limits,
      runId,
      name: "../Grüße 🎈.md",
      hint: "text/markdown; charset=utf-8",
      body: bodyOf("# Grüße"),
    });
    assert.deepEqual(file, {
      ...owner,
      id: file.id,
      runId,
      name: "Grüße 🎈.md",
      contentType: "text/markdown",
      sizeBytes: 9,
      createdAt: new Date(clock.now()),
      expiresAt: new Date(clock.now() + dayMs),
    });
    assert.match(file.id, /^file_[0-9a-f]{32}$/);
    assert.deepEqual(await files.read(file.id, owner), file);
    assert.equal(await textOf(house, file), "# Grüße");
    const range = await files.open(file, { start: 2, end: 3 });
    assert.equal(Buffer.concat(await range.toArray()).toString(), "Gr");
  });

  test("an account's uploads share a room, which is free again when files go; results always fit", async () => {
    const owner = newOwner();
    const small = { ...limits, room: { bytes: 10, files: 3 } };
    const noRoom = { code: "request_too_large", message: /^Your files have no more room: .* and 3 files/ };
    const first = await files.store({ ...owner, limits: small, body: bodyOf("12345678") });
    // Two that would fit one by one, and begin before either is there.
    const both = await Promise.allSettled(
      ["ab", "cd"].map((text) => files.store({ ...owner, limits: small, body: bodyOf(text) })),
    );
    assert.ok(both.some(({ status }) => status === "rejected"));
    const left = (await files.list({ ...owner, limit: 10 })).files;
    assert.ok(left.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) <= 10);
    await files.store({
      ...owner,
      limits: small,
      runId: newId("call"),
      body: bodyOf("a result of any size"),
    });
    await assert.rejects(files.store({ ...owner, limits: small, body: bodyOf("1") }), noRoom);
    await files.store({ ...owner, mode: "test", limits: small, body: bodyOf("test mode") });
    await files.store({ ...newOwner(), limits: small, body: bodyOf("another's") });
    for (const file of (await files.list({ ...owner, limit: 10 })).files) await files.remove(file.id, owner);
    for (let count = 0; count < 3; count += 1)
      await files.store({ ...owner, limits: small, body: bodyOf("1") });
    await assert.rejects(files.store({ ...owner, limits: small, body: bodyOf("1") }), noRoom);
    assert.equal(first.sizeBytes, 8);
  });

  test("what a run made that is not done, or never was, takes no room: nobody can read it, or remove it", async () => {
    const owner = newOwner();
    const small = { ...limits, room: { bytes: 10, files: 3 } };
    const runId = newId("call").replace("call_", "run_");
    await house.database.kysely
      .insertInto("runs")
      .values({
        ...{ id: runId, call_id: newId("call"), account_id: owner.accountId, key_id: "key_1", mode: "live" },
        ...{ plan: "free", model: "m", model_id: "m", category: "image", offer: null, state: "waiting" },
        ...{ ending: null, inputs: "{}", price: "{}", credit_usd: "0.05", public_url: "", node_id: null },
        ...{ memory: null, progress: null, output: null, problem: null, usage: null, cost: null },
        ...{ webhook_url: null, lease_until: new Date(), ended_at: null },
      })
      .execute();
    await files.store({ ...owner, limits: small, runId, body: bodyOf("a result of any size") });
    assert.deepEqual((await files.list({ ...owner, limit: 10 })).files, []);
    await files.store({ ...owner, limits: small, body: bodyOf("mine") });
  });

  test("uploads under way take room as they come, or as announced, and give it back however they end", async () => {
    const owner = newOwner();
    const small = { ...limits, room: { bytes: 10, files: 3 } };
    const noRoom = { code: "request_too_large", message: /^Your files have no more room/ };
    const store = (body: AsyncIterable<Buffer>, sizeBytes?: number) =>
      files.store({ ...owner, limits: small, body, sizeBytes });
    const [taken, left] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const slow = async function* (): AsyncGenerator<Buffer, void, undefined> {
      yield Buffer.from("123456");
      taken.resolve();
      await left.promise;
    };
    const first = assert.rejects(store(slow()), /the sender is gone/);
    await taken.promise;
    let wasRead = false;
    const announced = async function* (): AsyncGenerator<Buffer, void, undefined> {
      wasRead = true;
      yield Buffer.from("12345");
    };
    await assert.rejects(store(announced(), 5), noRoom);
    assert.equal(wasRead, false, "what has no room is refused before it is read");
    await assert.rejects(store(Readable.from([Buffer.from("123"), Buffer.from("45")])), noRoom);
    left.reject(new Error("the sender is gone"));
    await first;
    const half = await store(bodyOf("12345"), 5);
    await assert.rejects(store(bodyOf("123456")), noRoom);
    // Room that is made meanwhile is found by an upload that began without it.
    const emptying = async function* (): AsyncGenerator<Buffer, void, undefined> {
      yield Buffer.from("1");
      await files.remove(half.id, owner);
      yield Buffer.from("234567");
    };
    assert.equal((await store(emptying())).sizeBytes, 7);
    for (const file of (await files.list({ ...owner, limit: 10 })).files) await files.remove(file.id, owner);
  });

  test("an account has no more uploads under way at once than its plan says, in each mode", async () => {
    const owner = newOwner();
    const two = { ...limits, atOnce: 2 };
    const bodies = [new PassThrough(), new PassThrough()] as const;
    const under = bodies.map((body) => files.store({ ...owner, limits: two, body }));
    const third = files.store({ ...owner, limits: two, body: bodyOf("third") });
    await assert.rejects(third, { code: "concurrency_limit_exceeded", retryAfterSeconds: 1 });
    const others = [{ ...owner, mode: "test" } as const, newOwner()];
    for (const other of others) {
      const file = await files.store({ ...other, limits: two, body: bodyOf("other") });
      await files.remove(file.id, other);
    }
    for (const body of bodies) body.end("x");
    for (const { id } of await Promise.all(under)) await files.remove(id, owner);
    const { id } = await files.store({ ...owner, limits: two, body: bodyOf("third") });
    await files.remove(id, owner);
  });

  test("an upload that finds no room is gone, also when its bytes cannot be removed yet", async () => {
    const owner = newOwner();
    const small = { ...limits, room: { bytes: 10, files: 3 } };
    const stuck = house.again({
      store: {
        put: (...args) => house.store.put(...args),
        open: (...args) => house.store.open(...args),
        remove: () => Promise.reject(new Error("away")),
        close() {},
      },
    });
    // As on two nodes, which do not know of each other's uploads under way.
    const meanwhile = async function* (): AsyncGenerator<Buffer, void, undefined> {
      yield Buffer.from("12345");
      await files.store({ ...owner, limits: small, body: bodyOf("123456") });
    };
    const tooMuch = stuck.store({ ...owner, limits: small, body: meanwhile() });
    await assert.rejects(tooMuch, { code: "request_too_large" });
    const [other, ...more] = (await files.list({ ...owner, limit: 10 })).files;
    assert.deepEqual([other?.sizeBytes, more], [6, []]);
    await files.remove(other?.id ?? "", owner);
    await files.store({ ...owner, limits: small, body: bodyOf("1234567890") });
    assert.equal(await files.sweep(), 1);
  });

  test("T-01 another account's file, the other mode's, a random id and no id are refused alike", async () => {
    const owner = newOwner();
    const file = await files.store({ ...owner, limits, body: bodyOf("mine") });
    for (const [id, who] of [
      [file.id, newOwner()],
      [file.id, { ...owner, mode: "test" }],
      [newId("file"), owner],
      ["../../etc/passwd", owner],
      ["file_' or 1=1 --", owner],
    ] as const) {
      await assert.rejects(files.read(id, who), isNotFound);
      await assert.rejects(files.remove(id, who), isNotFound);
    }
    assert.deepEqual((await files.list({ ...newOwner(), limit: 10 })).files, []);
    assert.equal(await textOf(house, await files.read(file.id, owner)), "mine");
  });

  test("a list shows an account's files of one mode, newest first, page by page", async () => {
    const owner = newOwner();
    const stored: string[] = [];
    for (let count = 0; count < 7; count += 1) {
      stored.unshift((await files.store({ ...owner, limits, body: bodyOf(`${count}`) })).id);
      await files.store({ ...owner, mode: "test", limits, body: bodyOf("test") });
      if (count % 2 === 1) clock.turn({ seconds: 1 });
    }
    // Ids of one millisecond are in any order among themselves.
    const order = (ids: readonly string[]) => ids.toSorted().toReversed();
    const seen: string[] = [];
    let after: string | undefined;
    for (let pages = 1; ; pages += 1) {
      const page = await files.list({ ...owner, limit: 3, after });
      const ids = page.files.map(({ id }) => id);
      seen.push(...ids);
      after = ids.at(-1);
      assert.equal(page.hasMore, pages < 3);
      // As a script does that clears a list while it reads it: the next page begins behind a file that is gone.
      await files.remove(after ?? "", owner);
      if (!page.hasMore) break;
    }
    assert.deepEqual(seen, order(stored));
    assert.equal((await files.list({ ...owner, limit: 10 })).files.length, 4);
  });

  test("a signed address opens the file for whoever has it, until the file expires", async () => {
    const owner = newOwner();
    const file = await files.store({ ...owner, limits, body: bodyOf("signed") });
    const url = files.urlOf(file, "https://api.example.com/base/");
    const expires = Math.floor(file.expiresAt.getTime() / 1000);
    const form = new RegExp(
      `^https://api\\.example\\.com/base/v1/files/${file.id}/content\\?expires=${expires}&signature=[\\w-]{43}$`,
    );
    assert.match(url, form);
    assert.deepEqual(await files.readSigned(linkIn(url)), file);
    assert.deepEqual(await house.again().readSigned(linkIn(url)), file, "after a restart");
    await assert.rejects(house.again({ secret: "another" }).readSigned(linkIn(url)), isNotFound);
    clock.turn({ milliseconds: dayMs - 1001 });
    assert.deepEqual(await files.readSigned(linkIn(url)), file);
    clock.turn({ milliseconds: 1001 });
    await assert.rejects(files.readSigned(linkIn(url)), isNotFound);
    await assert.rejects(files.read(file.id, owner), isNotFound);
    assert.deepEqual((await files.list({ ...owner, limit: 10 })).files, []);
  });

  test("an address that was changed in any character opens nothing", async () => {
    const owner = newOwner();
    const file = await files.store({ ...owner, limits, body: bodyOf("signed") });
    const other = await files.store({ ...owner, limits, body: bodyOf("other") });
    const link = linkIn(files.urlOf(file, "http://x"));
    const later = String(Number(link.expires) + 1);
    const tampered = [
      { ...link, id: other.id },
      { ...link, id: file.id.toUpperCase() },
      { ...link, expires: later },
      { ...link, expires: `0${link.expires}` },
      { ...link, expires: `${link.expires}.0` },
      { ...link, expires: "" },
      { ...link, expires: "Infinity" },
      { ...link, signature: "" },
      { ...link, signature: `${link.signature}=` },
      { ...link, signature: linkIn(files.urlOf(other, "http://x")).signature },
      { ...link, signature: "é".repeat(43) },
    ];
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (let at = 0; at < link.signature.length; at += 1) {
      // The neighbour of the last character decodes to the same bytes.
      const neighbour = alphabet[alphabet.indexOf(link.signature[at] ?? "") ^ 1] ?? "";
      tampered.push({
        ...link,
        signature: link.signature.slice(0, at) + neighbour + link.signature.slice(at + 1),
      });
    }
    for (const one of tampered) await assert.rejects(files.readSigned(one), isNotFound, JSON.stringify(one));
    assert.deepEqual(await files.readSigned(link), file);
  });

  test("an engine reads an account's own file by its address without the network", async () => {
    const owner = newOwner();
    const file = await files.store({ ...owner, limits, body: bodyOf("mine") });
    const url = files.urlOf(file, "https://api.example.com");
    assert.deepEqual(await files.readOwn(url, { ...owner, maxBytes: 4 }), {
      bytes: Buffer.from("mine"),
      contentType: "text/plain",
    });
    await assert.rejects(files.readOwn(url, { ...owner, maxBytes: 3 }), { code: "request_too_large" });
    for (const [address, who] of [
      [url, newOwner()],
      [url, { ...owner, mode: "test" }],
      [`${url}x`, owner],
      [url.replace("/v1/", "/v2/"), owner],
      [`https://api.example.com/v1/files/${file.id}/content`, owner],
      ["https://example.com/a.png", owner],
      ["no address", owner],
    ] as const)
      assert.equal(await files.readOwn(address, { ...who, maxBytes: 4 }), undefined, address);
  });

  test("what the store gives of a file is all of it, or a 503: neither a part nor what was never stored", async () => {
    const owner = newOwner();
    const file = await files.store({ ...owner, limits, body: bodyOf("whole") });
    const giving = (sizeBytes: number, body: () => Iterable<Buffer>) =>
      house.again({
        store: {
          ...house.store,
          open: async () => ({ sizeBytes, body: Readable.from(body(), { objectMode: false }) }),
        },
      });
    const url = files.urlOf(file, "https://api.example.com");
    const isAway = { name: "Problem", code: "service_unavailable" };
    const broken = giving(5, function* () {
      yield Buffer.from("who");
      throw new Error("ECONNRESET");
    });
    await assert.rejects(broken.readOwn(url, { ...owner, maxBytes: 5 }), isAway);
    for (const text of ["who", "whole and more"]) {
      const other = giving(text.length, () => [Buffer.from(text)]);
      await assert.rejects(other.open(file), isAway);
      await assert.rejects(other.open(file, { start: 0, end: 1 }), isAway);
    }
  });

  test("a removed file is gone at once, with its bytes", async () => {
    const owner = newOwner();
    const file = await files.store({ ...owner, limits, body: bodyOf("x") });
    const link = linkIn(files.urlOf(file, "http://x"));
    await files.remove(file.id, owner);
    assert.ok(!house.stored().includes(file.id));
    await assert.rejects(files.read(file.id, owner), isNotFound);
    await assert.rejects(files.readSigned(link), isNotFound);
    await assert.rejects(files.open(file), isNotFound);
    await assert.rejects(files.remove(file.id, owner), isNotFound);
  });

  test("the plan of the account sets the limits unless they are given", async () => {
    const owner = newOwner();
    const account = { name: "Ada", requests_per_minute: null, concurrent_requests: null };
    await house.database.kysely
      .insertInto("accounts")
      .values({ id: owner.accountId, plan: "starter", ...account })
      .execute();
    const file = await files.store({ ...owner, body: bodyOf("x") });
    assert.equal(file.expiresAt.getTime() - clock.now(), 7 * dayMs);
    assert.deepEqual(await files.limitsOf(owner.accountId), fileLimits.starter);
    assert.deepEqual(await files.limitsOf("acc_unknown"), fileLimits.free);
  });

  test("what is refused or breaks off leaves no row and no bytes", async () => {
    const owner = newOwner();
    const before = [house.stored().length, await house.rowCount()];
    const fault = new Problem("invalid_request", { message: "gone" });
    const broken = async function* (): AsyncGenerator<Buffer, void, undefined> {
      yield Buffer.alloc(500);
      throw fault;
    };
    const large = files.store({ ...owner, limits, body: bodyOf(Buffer.alloc(1001)) });
    await assert.rejects(large, { code: "request_too_large", param: "file" });
    await assert.rejects(files.store({ ...owner, limits, body: broken() }), (error) => error === fault);
    assert.deepEqual([house.stored().length, await house.rowCount()], before);
    assert.equal((await files.store({ ...owner, limits, body: bodyOf(Buffer.alloc(1000)) })).sizeBytes, 1000);
  });

  test("a store that fails is a 503, and its file is swept later", async () => {
    const owner = newOwner();
    const away = () => Promise.reject(new Error("the disk is full"));
    const failing = house.again({
      store: { ...house.store, put: away, open: away, remove: away, close() {} },
    });
    const file = await files.store({ ...owner, limits, body: bodyOf("x") });
    const rows = await house.rowCount();
    const isAway = { name: "Problem", code: "service_unavailable" };
    await assert.rejects(failing.store({ ...owner, limits, body: bodyOf("x") }), isAway);
    await assert.rejects(failing.open(file), isAway);
    // Nobody sees it any more, though its bytes could not be removed.
    await failing.remove(file.id, owner);
    await assert.rejects(files.read(file.id, owner), isNotFound);
    assert.equal(await house.rowCount(), rows + 1);
    assert.equal(await failing.sweep(), 0);
    clock.turn({ milliseconds: mostWritingMs });
    assert.ok((await files.sweep()) >= 2);
    assert.equal(house.stored().includes(file.id), false);
    assert.equal(await house.rowCount(), house.stored().length);
  });
}
