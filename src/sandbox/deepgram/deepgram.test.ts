import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { mp3Of } from "../media/mp3.ts";
import { startSandbox } from "../sandbox.ts";
import type { RunningSandbox } from "../sandbox.ts";
import { soundLengthMs } from "../speech/spoken.ts";

/** As Deepgram's own SDK asks: @deepgram/sdk 5.13 was driven against this by hand, it is no dependency here. */

let sandbox: RunningSandbox;
before(async () => {
  sandbox = await startSandbox();
});
after(async () => {
  await sandbox.stop();
});

type Asked = { readonly body: Buffer | object; readonly type?: string; readonly key?: string };

function post(path: string, { body, type = "application/json", key = "k" }: Asked): Promise<Response> {
  const sent = Buffer.isBuffer(body) ? new Uint8Array(body) : JSON.stringify(body);
  return fetch(`${sandbox.url}/deepgram${path}`, {
    method: "POST",
    headers: { authorization: `Token ${key}`, "content-type": type },
    body: sent,
  });
}

// The answers of the API that is played: each test asserts the members it reads.
// oxlint-disable-next-line typescript/no-explicit-any
async function told(asked: Promise<Response>): Promise<{ readonly status: number; readonly body: any }> {
  const response = await asked;
  return { status: response.status, body: await response.json() };
}

test("a recording that is the body becomes text, with words in time and the length it is charged by", async () => {
  const asked = { body: mp3Of(8_000), type: "application/octet-stream" };
  const plain = await told(post("/v1/listen?model=nova-3", asked));
  assert.equal(plain.status, 200);
  assert.ok(Math.abs(plain.body.metadata.duration - 8) < 0.1);
  const [alternative] = plain.body.results.channels[0].alternatives;
  assert.equal(alternative.words.map(({ word }: { word: string }) => word).join(" "), alternative.transcript);
  assert.match(alternative.transcript, /^[a-z]/);
  const query = "model=nova-3&smart_format=true&utterances=true&detect_language=true&diarize=true";
  const written = await told(post(`/v1/listen?${query}`, asked));
  const { channels, utterances } = written.body.results;
  assert.equal(channels[0].detected_language, "en");
  assert.equal(
    utterances.map(({ transcript }: { transcript: string }) => transcript).join(" "),
    channels[0].alternatives[0].transcript,
  );
  assert.match(channels[0].alternatives[0].words[0].punctuated_word, /^[A-Z]/);
  assert.equal(channels[0].alternatives[0].words[0].speaker, 0);
});

test("what lies behind an address is not fetched and takes a minute", async () => {
  const asked = { body: { url: "https://example.com/a.mp3" } };
  const { body } = await told(post("/v1/listen?model=nova-2", asked));
  assert.equal(body.metadata.duration, 60);
  assert.equal(body.metadata.model_info[body.metadata.models[0]].arch, "nova-2");
});

test("a text is spoken in the form asked for, and a header tells the characters", async () => {
  const first = await post("/v1/speak", { body: { text: "Hello there" } });
  assert.deepEqual(
    [first.headers.get("content-type"), first.headers.get("dg-char-count")],
    ["audio/mpeg", "11"],
  );
  const query = "model=aura-2-thalia-en&encoding=linear16&container=wav&sample_rate=16000&speed=1.1";
  const second = await post(`/v1/speak?${query}`, { body: { text: "Hello there" } });
  assert.deepEqual(
    [second.headers.get("content-type"), second.headers.get("x-dg-characters")],
    ["audio/wav", "11"],
  );
  assert.equal(second.headers.get("dg-model-name"), "aura-2-thalia-en");
  assert.equal(soundLengthMs(Buffer.from(await second.arrayBuffer())), Math.round((11 * 65) / 1.1));
  for (const [encoding, type] of Object.entries({
    opus: "audio/ogg",
    flac: "audio/flac",
    aac: "audio/aac",
    mulaw: "audio/basic",
  })) {
    const response = await post(`/v1/speak?encoding=${encoding}`, { body: { text: "Hello" } });
    assert.equal(response.headers.get("content-type"), type);
  }
});

test("refusals are in the provider's forms", async () => {
  const code = async (path: string, asked: Asked) => {
    const { status, body } = await told(post(path, asked));
    assert.match(body.request_id, /^[0-9a-f-]{36}$/);
    return [status, body.err_code ?? body.category];
  };
  const text = { text: "Hello" };
  assert.deepEqual(await code("/v1/speak", { body: text, key: "invalid" }), [401, "INVALID_AUTH"]);
  assert.deepEqual(await code("/v1/speak", { body: {} }), [400, "INVALID_JSON"]);
  assert.deepEqual(await code("/v1/speak?model=nobody", { body: text }), [400, "Bad Request"]);
  assert.deepEqual(await code("/v1/speak?sample_rate=8000", { body: text }), [400, "Bad Request"]);
  assert.deepEqual(await code("/v1/speak", { body: { text: "x".repeat(2_001) } }), [
    413,
    "PAYLOAD_TOO_LARGE",
  ]);
  assert.deepEqual(await code("/v1/speak", { body: { text: "[sandbox:fault-429]" } }), [
    429,
    "TOO_MANY_REQUESTS",
  ]);
  assert.deepEqual(await code("/v1/listen?model=gpt", { body: { url: "https://a.example" } }), [
    400,
    "Bad Request",
  ]);
  assert.deepEqual(await code("/v1/listen", { body: {} }), [400, "INVALID_JSON"]);
  assert.deepEqual(await code("/v1/listen", { body: { url: "here" } }), [400, "REMOTE_CONTENT_ERROR"]);
  assert.deepEqual(await code("/v1/listen", { body: Buffer.alloc(0), type: "audio/wav" }), [
    400,
    "Bad Request",
  ]);
});
