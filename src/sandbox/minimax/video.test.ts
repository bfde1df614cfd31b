import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSandbox } from "../sandbox.ts";
import type { RunningSandbox } from "../sandbox.ts";

/** There is no SDK: what is checked are the fields and states that the provider documents, of both versions. */

let now = 1_800_000_000_000;
let sandbox: RunningSandbox;
before(async () => {
  sandbox = await startSandbox({ now: () => now });
});
after(async () => {
  await sandbox.stop();
});

async function ask(path: string, body?: object, key = "k") {
  const response = await fetch(`${sandbox.url}/minimax/${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

const told = (text: string) => ({
  model: "MiniMax-H3",
  content: [{ type: "text", text }],
  resolution: "768P",
});

test("H3: a task is queued, runs and succeeds with its seconds", async () => {
  const { body } = await ask("v2/video_generation", { ...told("A fox"), duration: 7 });
  const path = `v2/query/video_generation/${body.task_id}`;
  assert.deepEqual((await ask(path)).body.task, { id: body.task_id, status: "queued" });
  now += 20;
  assert.equal((await ask(path)).body.task.status, "running");
  now += 20;
  const { task } = (await ask(path)).body;
  assert.deepEqual([task.status, task.duration, task.resolution], ["succeeded", 7, "768P"]);
  assert.deepEqual(task.usage, { total_seconds: 7, input_seconds: 0, output_seconds: 7 });
  assert.equal((await fetch(task.content.url)).headers.get("content-type"), "video/mp4");
});

test("H3: what fails says why, and refusals have a status and a type", async () => {
  const { body } = await ask("v2/video_generation", told("A fox [sandbox:job-fail]"));
  now += 40;
  const { task } = (await ask(`v2/query/video_generation/${body.task_id}`)).body;
  assert.deepEqual([task.status, typeof task.error.message], ["failed", "string"]);
  const typeOf = async (asked: ReturnType<typeof ask>) => {
    const answer = await asked;
    return [answer.status, answer.body.error.type, answer.body.error.http_code];
  };
  assert.deepEqual(await typeOf(ask("v2/video_generation", told("A fox"), "invalid")), [
    401,
    "authentication_error",
    "401",
  ]);
  assert.deepEqual(await typeOf(ask("v2/video_generation", { ...told("A fox"), duration: 4 })), [
    400,
    "bad_request_error",
    "400",
  ]);
  assert.deepEqual(await typeOf(ask("v2/video_generation", told("[sandbox:fault-429]"))), [
    429,
    "rate_limit_error",
    "429",
  ]);
});

const hailuo = (prompt: string, more: object = {}) => ({ model: "MiniMax-Hailuo-2.3", prompt, ...more });

test("Hailuo: the result is a file, and its address is asked for by its id", async () => {
  const { body } = await ask("v1/video_generation", hailuo("A fox", { duration: 10 }));
  assert.equal(body.base_resp.status_code, 0);
  const path = `v1/query/video_generation?task_id=${body.task_id}`;
  assert.equal((await ask(path)).body.status, "Queueing");
  now += 40;
  const { body: done } = await ask(path);
  assert.deepEqual([done.status, done.video_height], ["Success", 768]);
  const { body: retrieved } = await ask(`v1/files/retrieve?file_id=${done.file_id}`);
  assert.equal((await fetch(retrieved.file.download_url)).headers.get("content-type"), "video/mp4");
});

test("Hailuo: refusals have the status 200 and a code", async () => {
  const codeOf = async (body: object, key?: string) => {
    const answer = await ask("v1/video_generation", body, key);
    return [answer.status, answer.body.base_resp.status_code];
  };
  assert.deepEqual(await codeOf(hailuo("A fox"), "invalid"), [200, 2_049]);
  assert.deepEqual(await codeOf(hailuo("A fox", { resolution: "1080P", duration: 10 })), [200, 2_013]);
  assert.deepEqual(await codeOf(hailuo("A fox", { model: "MiniMax-Hailuo-2.3-Fast" })), [200, 2_013]);
  assert.deepEqual(await codeOf(hailuo("A fox [sandbox:job-refused]")), [200, 1_026]);
  assert.deepEqual(await codeOf(hailuo("A fox [sandbox:fault-402]")), [200, 1_008]);
});
