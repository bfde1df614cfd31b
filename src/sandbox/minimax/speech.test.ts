import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSandbox } from "../sandbox.ts";
import type { RunningSandbox } from "../sandbox.ts";
import { soundLengthMs } from "../speech/spoken.ts";

let sandbox: RunningSandbox;
before(async () => {
  sandbox = await startSandbox();
});
after(async () => {
  await sandbox.stop();
});

function post(body: object, key = "k"): Promise<Response> {
  return fetch(`${sandbox.url}/minimax/v1/t2a_v2`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

const asked = {
  model: "speech-2.8-hd",
  text: "Hello there",
  voice_setting: { voice_id: "English_expressive_narrator" },
};

// The answers of the API that is played: each test asserts the members it reads.
// oxlint-disable-next-line typescript/no-explicit-any
async function told(body: object, key?: string): Promise<{ readonly status: number; readonly body: any }> {
  const response = await post(body, key);
  return { status: response.status, body: await response.json() };
}

test("a text is spoken as hexadecimal digits, with what it is charged by", async () => {
  const wav = { format: "wav", sample_rate: 16_000, channel: 1 };
  const { body } = await told({ ...asked, stream: false, audio_setting: wav });
  assert.equal(body.base_resp.status_code, 0);
  const sound = Buffer.from(body.data.audio, "hex");
  assert.equal(soundLengthMs(sound), 11 * 65);
  const { audio_length, audio_size, usage_characters, audio_sample_rate } = body.extra_info;
  assert.deepEqual(
    [audio_length, audio_size, usage_characters, audio_sample_rate],
    [715, sound.length, 11, 16_000],
  );
});

test("it is told as an address, or streamed, where that is asked for", async () => {
  const { body } = await told({ ...asked, output_format: "url" });
  const file = await fetch(body.data.audio);
  assert.equal(file.headers.get("content-type"), "audio/mpeg");
  const text = await (await post({ ...asked, stream: true })).text();
  const frames = text.split("\n\n").filter((frame) => frame !== "");
  const read = frames.map((frame) => JSON.parse(frame.replace(/^data: /, "")));
  assert.equal(read.at(-1).data.status, 2);
  const pieces = read.slice(0, -1).map(({ data }: { data: { audio: string } }) => data.audio);
  assert.equal(pieces.join(""), read.at(-1).data.audio);
});

test("refusals come with status 200 and a code; machines before the API have statuses of their own", async () => {
  const code = async (body: object, key?: string) => {
    const answer = await told(body, key);
    return [answer.status, answer.body.base_resp.status_code];
  };
  assert.deepEqual(await code({ ...asked, text: "" }), [200, 2013]);
  assert.deepEqual(await code({ ...asked, model: "speech" }), [200, 2013]);
  assert.deepEqual(await code({ ...asked, voice_setting: {} }), [200, 2013]);
  assert.deepEqual(await code({ ...asked, voice_setting: { voice_id: "missing" } }), [200, 2054]);
  assert.deepEqual(await code({ ...asked, text: "[sandbox:job-refused]" }), [200, 1026]);
  assert.deepEqual(await code({ ...asked, text: "[sandbox:fault-429]" }), [200, 1002]);
  assert.deepEqual(await code({ ...asked, text: "[sandbox:fault-402]" }), [200, 1008]);
  assert.deepEqual(await code(asked, "invalid"), [200, 2049]);
  assert.deepEqual(await code({ ...asked, text: "[sandbox:fault-503]" }), [503, 1000]);
});
