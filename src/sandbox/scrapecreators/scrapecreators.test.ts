import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSandbox } from "../sandbox.ts";
import type { RunningSandbox } from "../sandbox.ts";

/** The judge is the provider's documentation: there is no SDK. */

let sandbox: RunningSandbox;
before(async () => {
  sandbox = await startSandbox();
});
after(async () => {
  await sandbox.stop();
});

type Answer = {
  readonly status: number;
  // The answers of the emulator under test: each test asserts the members it reads.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
};

async function ask(path: string, query: Readonly<Record<string, string>> = {}, key = "k"): Promise<Answer> {
  const url = `${sandbox.url}/scrapecreators${path}?${new URLSearchParams(query).toString()}`;
  const response = await fetch(url, { headers: { "x-api-key": key } });
  return { status: response.status, body: await response.json() };
}

test("an account, a list, comments, a transcript and a single post, the same ones each time", async () => {
  const profile = await ask("/v1/instagram/profile", { handle: "natgeo" });
  assert.deepEqual([profile.body.success, profile.body.handle], [true, "natgeo"]);
  assert.ok(profile.body.follower_count > 0 && profile.body.credits_remaining > 0);
  assert.deepEqual((await ask("/v1/instagram/profile", { handle: "natgeo" })).body, profile.body);
  const videos = await ask("/v3/tiktok/profile/videos", { handle: "tiktok" });
  assert.ok(videos.body.videos.length > 0 && videos.body.has_more === true);
  const url = "https://www.youtube.com/watch?v=dQw4w9WgXcQ";
  assert.ok((await ask("/v1/youtube/video/comments", { url })).body.comments.length > 0);
  assert.ok((await ask("/v1/youtube/video/transcript", { url })).body.transcript.length > 50);
  assert.ok(URL.canParse((await ask("/v1/youtube/video", { url })).body.url));
  assert.ok((await ask("/v1/youtube/shorts/trending")).body.videos.length > 0);
  assert.equal((await ask("/v1/kwai/profile", { handle: "kwai" })).body.data.handle, "kwai");
});

test("refusals are in its form", async () => {
  const told = async (asked: Promise<Answer>): Promise<readonly unknown[]> => {
    const { status, body } = await asked;
    return [status, body.success, body.errorStatus];
  };
  const handle = { handle: "natgeo" };
  assert.deepEqual(await told(ask("/v1/instagram/profile", handle, "invalid")), [401, false, 401]);
  assert.deepEqual(await told(ask("/v1/instagram/profile")), [400, false, 400]);
  assert.deepEqual(await told(ask("/v1/youtube/video", { url: "nowhere" })), [400, false, 400]);
  assert.deepEqual(await told(ask("/v1/instagram/profile", { handle: "missing" })), [404, false, 404]);
  assert.deepEqual(await told(ask("/v1/myspace/profile", handle)), [404, false, 404]);
  const limited = ask("/v1/instagram/search", { query: "x [sandbox:fault-429]" });
  assert.deepEqual(await told(limited), [429, false, 429]);
});
