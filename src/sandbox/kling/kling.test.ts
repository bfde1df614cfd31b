import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSandbox } from "../sandbox.ts";
import type { RunningSandbox } from "../sandbox.ts";

/** There is no SDK: what is checked are the envelope, states and units that the provider documents. */

let now = 1_800_000_000_000;
let sandbox: RunningSandbox;
before(async () => {
  sandbox = await startSandbox({ now: () => now });
});
after(async () => {
  await sandbox.stop();
});

async function ask(path: string, body?: object, key = "k") {
  const response = await fetch(`${sandbox.url}/kling/v1/${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

const text = (more: object = {}) => ({ model_name: "kling-v2-6", prompt: "A fox", ...more });

async function unitsOf(path: string, body: object): Promise<string> {
  const { body: begun } = await ask(path, body);
  now += 40;
  return (await ask(`${path}/${begun.data.task_id}`)).body.data.final_unit_deduction;
}

test("a task is submitted, processed and succeeds, all in one envelope", async () => {
  const { status, body } = await ask("videos/text2video", text({ duration: "10" }));
  assert.deepEqual([status, body.code, body.data.task_status], [200, 0, "submitted"]);
  assert.equal(typeof body.request_id, "string");
  const path = `videos/text2video/${body.data.task_id}`;
  now += 20;
  assert.equal((await ask(path)).body.data.task_status, "processing");
  now += 20;
  const { data } = (await ask(path)).body;
  assert.deepEqual([data.task_status, data.final_unit_deduction], ["succeed", "3"]);
  const [video] = data.task_result.videos;
  assert.equal(video.duration, "10");
  assert.equal((await fetch(video.url)).headers.get("content-type"), "video/mp4");
});

test("units follow model, mode, seconds and sound", async () => {
  const of = (more: object) => unitsOf("videos/text2video", text(more));
  assert.equal(await of({}), "1.5");
  assert.equal(await of({ mode: "pro" }), "2.5");
  assert.equal(await of({ mode: "pro", sound: "on" }), "5");
  assert.equal(await of({ model_name: "kling-v3", mode: "pro", duration: "7", sound: "on" }), "8.4");
  assert.equal(await of({ model_name: "kling-v2-1-master" }), "10");
  assert.equal(await unitsOf("videos/image2video", text({ image: "https://example.com/a.png" })), "1.5");
});

test("pictures come as many as asked for", async () => {
  const { body } = await ask("images/generations", { prompt: "A fox", n: 2, aspect_ratio: "1:1" });
  now += 40;
  const { data } = (await ask(`images/generations/${body.data.task_id}`)).body;
  assert.equal(data.task_result.images.length, 2);
  assert.equal((await fetch(data.task_result.images[1].url)).status, 200);
});

test("what fails says why and costs nothing", async () => {
  for (const order of ["job-fail", "job-refused"]) {
    const { body } = await ask("videos/text2video", text({ prompt: `A fox [sandbox:${order}]` }));
    now += 40;
    const { data } = (await ask(`videos/text2video/${body.data.task_id}`)).body;
    assert.deepEqual([data.task_status, data.final_unit_deduction], ["failed", "0"]);
    assert.equal(typeof data.task_status_msg, "string");
  }
});

test("refusals wear the envelope with a code of their own", async () => {
  const codeOf = async (path: string, body?: object, key?: string) => {
    const answer = await ask(path, body, key);
    return [answer.status, answer.body.code];
  };
  assert.deepEqual(await codeOf("videos/text2video", text(), "invalid"), [401, 1_000]);
  assert.deepEqual(await codeOf("videos/text2video", { model_name: "kling-v2-6" }), [400, 1_201]);
  assert.deepEqual(await codeOf("videos/text2video", text({ duration: "7" })), [400, 1_201]);
  assert.deepEqual(await codeOf("videos/image2video", text()), [400, 1_201]);
  assert.deepEqual(await codeOf("videos/text2video", text({ prompt: "[sandbox:fault-402]" })), [429, 1_102]);
  assert.deepEqual(await codeOf("videos/text2video", text({ prompt: "[sandbox:fault-429]" })), [429, 1_302]);
  assert.deepEqual(await codeOf("videos/text2video/nobody"), [404, 1_203]);
});
