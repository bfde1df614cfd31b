/**
 * OpenAI's addresses for pictures, sound and vectors over the same runs, judged by the official SDK in both majors
 * against a real gateway in test mode.
 */
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import type OpenAI from "openai";
import { toFile } from "openai";
import sharp from "sharp";
import { parseCredits } from "../src/core/credits.ts";
import { mp3Of } from "../src/sandbox/media/mp3.ts";
import { wavOf } from "../src/sandbox/media/wav.ts";
import { soundLengthMs } from "../src/sandbox/speech/spoken.ts";
import { endsClean } from "./support/clean-end.ts";
import type { Customer } from "./support/gateway-api.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";
import { clientFor, collected, kits, memberOf } from "./support/sdk.ts";

let gateway: Gateway;
let customer: Customer;
before(async () => {
  gateway = await startGateway();
  customer = await gateway.customer({ mode: "test" });
});
after(() => endsClean(gateway));

type Answered<Data> = { readonly data: Data; readonly response: Response };

/** Asks for what has to work, and finds what the answer says that it cost on the balance. */
async function charged<Data>(
  ask: () => { withResponse(): Promise<Answered<Data>> },
): Promise<Answered<Data> & { readonly cost: bigint }> {
  const before = await available(customer);
  const { data, response } = await ask().withResponse();
  const cost = parseCredits(response.headers.get("x-skillboss-cost") ?? "") ?? -1n;
  assert.equal(before - (await available(customer)), cost);
  assert.match(response.headers.get("x-skillboss-run-id") ?? "", /^run_[0-9a-f]{32}$/);
  return { data, response, cost };
}

async function available({ key }: Customer): Promise<bigint> {
  return parseCredits((await gateway.get(key, "/v1/balance")).body.available) ?? -1n;
}

function dropped(response: Response): string | null {
  return response.headers.get("x-skillboss-dropped");
}

async function pictureIn(bytes: Buffer): Promise<readonly unknown[]> {
  const { width, height, format } = await sharp(bytes).metadata();
  return [width, height, format];
}

async function bytesAt(url: string | undefined): Promise<Buffer> {
  const response = await fetch(url ?? "");
  assert.equal(response.status, 200);
  return Buffer.from(await response.arrayBuffer());
}

/** At $0.05 a credit, a USD per million is 20 µcr for one. */
const microPerUsdPerMillion = 20n;

async function photo(width = 64, height = 64, name = "photo.png"): Promise<File> {
  const image = sharp({ create: { width, height, channels: 4, background: "teal" } });
  return toFile(await image.png().toBuffer(), name);
}

const recordingMs = 8_470;
const recording = wavOf({ ms: recordingMs, rate: 8_000, seed: "a1b2c3d4e5f60718" });
const talk = (): Promise<File> => toFile(recording, "talk.wav");

for (const [name, kit] of Object.entries(kits)) {
  suite(name, () => {
    let client: OpenAI;
    before(() => {
      client = clientFor(kit, gateway, customer.key);
    });

    test("a picture of no named model is drawn by the current GPT model, as data and as an address", async () => {
      const { data, cost } = await charged(() => client.images.generate({ prompt: "A fox", quality: "low" }));
      const [picture] = data.data ?? [];
      const bytes = Buffer.from(picture?.b64_json ?? "", "base64");
      assert.deepEqual(await pictureIn(bytes), [1_024, 1_024, "png"]);
      assert.ok(bytes.equals(await bytesAt(picture?.url)));
      assert.ok(Math.abs(data.created - Date.now() / 1000) < 600);
      const { input_tokens = 0, output_tokens = 0, total_tokens } = data.usage ?? {};
      assert.equal(total_tokens, input_tokens + output_tokens);
      assert.equal(cost, (BigInt(input_tokens) * 5n + BigInt(output_tokens) * 30n) * microPerUsdPerMillion);
    });

    test("number, size, form and background are the model's, and what came is what was asked for", async () => {
      const asked = { model: "gpt-image-2", prompt: "A fox", quality: "medium" } as const;
      const { data, response } = await charged(() =>
        client.images.generate({
          ...asked,
          n: 2,
          size: "1536x1024",
          output_format: "webp",
          background: "transparent",
          user: "u-1",
        }),
      );
      assert.equal(dropped(response), "user");
      assert.equal(data.data?.length, 2);
      for (const picture of data.data ?? [])
        assert.deepEqual(await pictureIn(await bytesAt(picture.url)), [1_536, 1_024, "webp"]);
      assert.deepEqual(
        [data.size, data.quality, data.output_format, data.background],
        ["1536x1024", "medium", "webp", "transparent"],
      );
    });

    test("any image model answers; what it does not take is left out and named", async () => {
      const flux = await charged(() =>
        client.images.generate({
          model: "flux-1.1-pro",
          prompt: "A fox",
          n: 1,
          size: "1024x768",
          quality: "hd",
          style: "vivid",
        } as OpenAI.ImageGenerateParamsNonStreaming),
      );
      assert.equal(flux.cost, 2_000_000n);
      assert.deepEqual(dropped(flux.response)?.split(", ").toSorted(), ["quality", "style"]);
      const [picture, ...others] = flux.data.data ?? [];
      assert.deepEqual([others.length, picture?.b64_json], [0, undefined]);
      assert.deepEqual(await pictureIn(await bytesAt(picture?.url)), [1_024, 768, "jpeg"]);
      const asked = { model: "flux-1.1-pro", prompt: "A fox", response_format: "b64_json" } as const;
      const [data] = (await client.images.generate(asked)).data ?? [];
      assert.ok(Buffer.from(data?.b64_json ?? "", "base64").equals(await bytesAt(data?.url)));
    });

    test("a model that makes one picture is not asked for two", async () => {
      const asking = client.images.generate({ model: "flux-1.1-pro", prompt: "A fox", n: 2 });
      await assert.rejects(asking, {
        status: 400,
        code: "invalid_request",
        param: "n",
        message: /makes one image/,
      });
    });

    test("quality has OpenAI's old and new names: what is high for one model is hd for another", async () => {
      const costs: (bigint | undefined)[] = [];
      for (const quality of ["high", "hd", "medium", "standard"] as const) {
        const asked = { model: "dall-e-3", prompt: "A fox", quality };
        const { response, cost } = await charged(() => client.images.generate(asked));
        assert.equal(dropped(response), null, quality);
        costs.push(cost);
      }
      assert.deepEqual(costs, [1_600_000n, 1_600_000n, 800_000n, 800_000n]);
      const asked = { model: "gpt-image-2", prompt: "A fox", quality: "hd" } as const;
      const { data, response } = await charged(() => client.images.generate(asked));
      assert.deepEqual([data.quality, dropped(response)], ["high", null]);
    });

    test("an old model's name and inputs go on working", async () => {
      const { data, cost } = await charged(() =>
        client.images.generate({ model: "dall-e-3", prompt: "A fox", quality: "hd", style: "natural" }),
      );
      assert.equal(cost, 1_600_000n);
      assert.deepEqual(await pictureIn(await bytesAt(data.data?.[0]?.url)), [1_024, 1_024, "png"]);
    });

    test("asked to stream, the pictures come as events when they are whole", async () => {
      const asked = { model: "gpt-image-2", prompt: "A fox", quality: "low", stream: true } as const;
      const events = await collected(await client.images.generate({ ...asked, partial_images: 1 }));
      assert.deepEqual(
        events.map((event) => event.type),
        ["image_generation.completed"],
      );
      const bytes = Buffer.from(events[0]?.b64_json ?? "", "base64");
      assert.deepEqual(await pictureIn(bytes), [1_024, 1_024, "png"]);
    });

    test("a picture is changed, alone or with others and a mask, under the name of the model that draws", async () => {
      const image = await photo();
      const one = await charged(() =>
        client.images.edit({ model: "gpt-image-2", image, prompt: "Snow", quality: "low" }),
      );
      const picture = Buffer.from(one.data.data?.[0]?.b64_json ?? "", "base64");
      assert.deepEqual(await pictureIn(picture), [1_024, 1_024, "png"]);
      const { input_tokens = 0, output_tokens = 0 } = one.data.usage ?? {};
      assert.equal(
        one.cost,
        (BigInt(input_tokens) * 8n + BigInt(output_tokens) * 30n) * microPerUsdPerMillion,
      );
      const several = await client.images.edit({
        image: [await photo(), await photo(32, 32, "b.png")],
        mask: await photo(64, 64, "mask.png"),
        prompt: "Together",
        quality: "low",
        n: 2,
        size: "1024x1536",
      });
      assert.equal(several.data?.length, 2);
      assert.ok((several.usage?.input_tokens ?? 0) > input_tokens);
    });

    test("the older models that draw change pictures too, each at its own price", async () => {
      const image = await photo();
      for (const [model, read, drawn] of [
        ["gpt-image-1.5", 80n, 320n],
        ["gpt-image-1-mini", 25n, 80n],
      ] as const) {
        const asked = { model, image, prompt: "Snow", quality: "low", size: "1024x1024" } as const;
        const { data, cost } = await charged(() => client.images.edit(asked));
        const { usage } = data;
        const tenths = BigInt(usage?.input_tokens ?? 0) * read + BigInt(usage?.output_tokens ?? 0) * drawn;
        assert.equal(cost, (tenths * microPerUsdPerMillion) / 10n, model);
      }
    });

    for (const [model, usd] of [
      ["tts-1", 15n],
      ["deepgram/aura-2", 30n],
      ["minimax/speech-2.8-hd", 100n],
      ["elevenlabs/eleven_multilingual_v2", 180n],
    ] as const) {
      test(`${model} speaks: the answer is the sound, at its price by the character`, async () => {
        const input = "The quick brown fox jumps over the lazy dog.";
        const { data, response, cost } = await charged(() =>
          client.audio.speech.create({ model, voice: "alloy", input, response_format: "wav" }),
        );
        assert.equal(response.headers.get("content-type"), "audio/wav");
        const sound = Buffer.from(await data.arrayBuffer());
        const id = response.headers.get("x-skillboss-run-id") ?? "";
        const { result } = (await gateway.get(customer.key, `/v1/run/${id}`)).body;
        assert.ok(sound.equals(await bytesAt(result.audio_url)));
        assert.equal(soundLengthMs(sound), input.length * 65);
        assert.equal(cost, BigInt(input.length) * usd * microPerUsdPerMillion);
        assert.equal(dropped(response), model.startsWith("elevenlabs") ? "voice" : null);
      });
    }

    test("gpt-4o-mini-tts speaks: the answer is the sound, at its price by its length, which is not told before", async () => {
      const before = await available(customer);
      const input = "The quick brown fox jumps over the lazy dog.";
      const { data, response } = await client.audio.speech
        .create({ model: "gpt-4o-mini-tts", voice: "alloy", input, response_format: "wav" })
        .withResponse();
      assert.equal(response.headers.get("x-skillboss-cost"), null);
      const seconds = soundLengthMs(Buffer.from(await data.arrayBuffer())) / 1_000;
      const id = response.headers.get("x-skillboss-run-id") ?? "";
      const { result } = (await gateway.get(customer.key, `/v1/run/${id}`)).body;
      assert.deepEqual(result.usage, { audio_seconds: seconds, input_tokens: input.length });
      const microUsd = (seconds / 60) * 18_000 + input.length * 0.6;
      assert.equal(before - (await available(customer)), BigInt(Math.ceil(microUsd * 20)));
    });

    test("speech has the form asked for, MP3 where none is, and raw samples say so", async () => {
      const types = {
        mp3: "audio/mpeg",
        opus: "audio/ogg",
        aac: "audio/aac",
        flac: "audio/flac",
        pcm: "audio/pcm",
      };
      for (const [format, type] of [...Object.entries(types), [undefined, "audio/mpeg"] as const]) {
        const asked = { model: "tts-1", voice: "nova", input: "Hello", response_format: format };
        const spoken = await client.audio.speech.create(asked as OpenAI.Audio.SpeechCreateParams);
        assert.equal(spoken.headers.get("content-type"), type);
        assert.ok((await spoken.arrayBuffer()).byteLength > 50);
      }
    });

    test("what was said comes in each form, with the seconds that were charged", async () => {
      const file = await talk();
      const { data, cost } = await charged(() =>
        client.audio.transcriptions.create({ model: "whisper-1", file, language: "en" }),
      );
      assert.equal(cost, 18_000n);
      assert.deepEqual(memberOf(data, "usage"), { type: "duration", seconds: 9 });
      const asked = { model: "whisper-1", file } as const;
      const text = await client.audio.transcriptions.create({ ...asked, response_format: "text" });
      assert.match(String(text), /^\w[^\n]{20,}\n$/);
      const verbose = await client.audio.transcriptions.create({
        ...asked,
        response_format: "verbose_json",
        timestamp_granularities: ["word", "segment"],
      });
      assert.deepEqual([verbose.language, verbose.duration], ["english", recordingMs / 1_000]);
      assert.equal(verbose.words?.map(({ word }) => word).join(" "), verbose.text);
      assert.equal(verbose.segments?.map((segment) => segment.text).join(" "), verbose.text);
      const srt = await client.audio.transcriptions.create({ ...asked, response_format: "srt" });
      assert.match(String(srt), /^1\n00:00:00,000 --> 00:00:0\d,\d{3}\n\w[^\n]+\n\n2\n/);
      const vtt = await client.audio.transcriptions.create({ ...asked, response_format: "vtt" });
      assert.match(String(vtt), /^WEBVTT\n\n00:00:00\.000 --> 00:00:0\d\.\d{3}\n\w/);
    });

    test("any model that hears answers: from bytes or from an address, with subtitles from its words", async () => {
      const mp3 = await toFile(mp3Of(8_000), "talk.mp3");
      for (const model of ["gpt-4o-mini-transcribe", "elevenlabs/scribe_v2", "deepgram/nova-3"]) {
        const { data } = await charged(() => client.audio.transcriptions.create({ model, file: mp3 }));
        assert.ok(data.text.length > 20, model);
      }
      const asked = { model: "elevenlabs/scribe_v2", file: mp3, response_format: "vtt" } as const;
      const vtt = await client.audio.transcriptions.create(asked);
      assert.match(String(vtt), /^WEBVTT\n\n00:00:00\.000 --> 00:00:0\d\.\d{3}\n\w/);
      const { response } = await charged(() =>
        client.audio.transcriptions.create({ ...asked, response_format: "json", prompt: "Fox" }),
      );
      assert.equal(dropped(response), "prompt");
    });

    test("a transcript is streamed as its text and its end", async () => {
      const asked = { model: "gpt-4o-transcribe", file: await talk(), stream: true } as const;
      const events = await collected(await client.audio.transcriptions.create(asked));
      assert.deepEqual(
        events.map(({ type }) => type),
        ["transcript.text.delta", "transcript.text.done"],
      );
      assert.equal(memberOf(events[0], "delta"), memberOf(events[1], "text"));
    });

    test("what was said is translated into English by a model that can", async () => {
      const file = await talk();
      const { data, cost } = await charged(() =>
        client.audio.translations.create({ model: "whisper-1", file }),
      );
      assert.ok(data.text.length > 20);
      assert.equal(cost, 18_000n);
      const cannot = client.audio.translations.create({ model: "gpt-4o-transcribe", file: await talk() });
      await refusedWith(cannot, 400, /POST \/v1\/audio\/transcriptions/);
    });

    test("vectors are the same in both encodings and of any model, at the price of their tokens", async () => {
      const input = ["A fox in the woods", "A prepaid balance"];
      const model = "text-embedding-3-small";
      const usual = await charged(() => client.embeddings.create({ model, input }));
      const floats = await client.embeddings.create({ model, input, encoding_format: "float" });
      assert.deepEqual(
        usual.data.data.map(({ embedding }) => embedding),
        floats.data.map(({ embedding }) => embedding),
      );
      assert.deepEqual(
        usual.data.data.map(({ index, embedding }) => [index, embedding.length]),
        [
          [0, 1_536],
          [1, 1_536],
        ],
      );
      assert.ok(usual.data.data[0]?.embedding.some((number) => number !== 0));
      // 0.02 USD for a million: two fifths of a µcr each, rounded up once.
      const tokens = BigInt(usual.data.usage.prompt_tokens);
      assert.equal(usual.cost, (tokens * 2n + 4n) / 5n);
      const short = await client.embeddings.create({ model, input: "A fox", dimensions: 256 });
      assert.equal(short.data[0]?.embedding.length, 256);
      for (const other of ["voyage-4", "mistral-embed", "embed-v4.0"])
        assert.ok(
          ((await client.embeddings.create({ model: other, input })).data[1]?.embedding.length ?? 0) > 100,
        );
    });

    test("credits that do not pay for it are a 402 at each address, before anybody is asked", async () => {
      const poor = clientFor(
        kit,
        gateway,
        (await gateway.customer({ mode: "test", credits: "0.000001" })).key,
      );
      for (const asked of await requests(poor))
        await refusedWith(asked(undefined), 402, /Insufficient credits/);
    });

    test("a model that is not there is a 404 with near names at each address", async () => {
      const near = [
        "gpt-image-2",
        "gpt-image-2",
        "tts-1",
        "whisper-1",
        "whisper-1",
        "text-embedding-3-small",
      ];
      for (const [index, asked] of (await requests(client)).entries()) {
        const name = near[index] ?? "";
        await refusedWith(asked(`${name}x`), 404, new RegExp(`Did you mean .*${name}`));
      }
    });

    test("a model of another kind is a 400 at each address that names the right one", async () => {
      for (const asked of await requests(client)) {
        await refusedWith(asked("gpt-4o-mini"), 400, /POST \/v1\/chat\/completions/);
        await refusedWith(asked("linkup/search"), 400, /POST \/v1\/run/);
      }
      await refusedWith(
        client.embeddings.create({ model: "tts-1", input: "x" }),
        400,
        /POST \/v1\/audio\/speech/,
      );
      const speak = client.audio.speech.create({ model: "whisper-1", voice: "alloy", input: "x" });
      await refusedWith(speak, 400, /POST \/v1\/audio\/transcriptions/);
      const draw = client.images.generate({ model: "gpt-image-edit", prompt: "x" });
      await refusedWith(draw, 400, /image/);
      const change = client.images.edit({ model: "flux-1.1-pro", image: await photo(), prompt: "x" });
      await refusedWith(change, 400, /POST \/v1\/images\/generations/);
    });
  });
}

/** One request for each address, all of them with a model of the customer's choice. */
async function requests(client: OpenAI): Promise<readonly ((model?: string) => Promise<unknown>)[]> {
  const [image, file] = [await photo(), await talk()];
  return [
    (model = "gpt-image-2") => client.images.generate({ model, prompt: "A fox" }),
    (model = "gpt-image-2") => client.images.edit({ model, image, prompt: "Snow" }),
    (model = "tts-1") => client.audio.speech.create({ model, voice: "alloy", input: "Hello there" }),
    (model = "whisper-1") => client.audio.transcriptions.create({ model, file }),
    (model = "whisper-1") => client.audio.translations.create({ model, file }),
    (model = "text-embedding-3-small") =>
      client.embeddings.create({ model, input: "A fox in the woods ".repeat(50) }),
  ];
}

async function refusedWith(asked: PromiseLike<unknown>, status: number, message: RegExp): Promise<void> {
  const reason = await Promise.resolve(asked).then(
    () => assert.fail("it was not refused"),
    (error: unknown) => error,
  );
  assert.ok(typeof reason === "object" && reason !== null);
  assert.equal(memberOf(reason, "status"), status, String(memberOf(reason, "message")));
  assert.match(String(memberOf(reason, "message")), message);
}

async function post(path: string, body: string | FormData, type?: string) {
  const response = await fetch(gateway.url + path, {
    method: "POST",
    headers: {
      authorization: `Bearer ${customer.key}`,
      ...(type === undefined ? {} : { "content-type": type }),
    },
    body,
  });
  const text = await response.text();
  const error = text.startsWith("{") ? memberOf(JSON.parse(text), "error") : undefined;
  const told = typeof error === "object" && error !== null ? error : {};
  return [response.status, memberOf(told, "code"), memberOf(told, "param")];
}

test("forms that are none, lack something, or ask for what the model cannot give are refused at no cost", async () => {
  const before = await available(customer);
  const path = "/v1/audio/transcriptions";
  assert.deepEqual(await post(path, "{}", "application/json"), [415, "unsupported_media_type", null]);
  const form = (members: Readonly<Record<string, string | Blob>>): FormData => {
    const filled = new FormData();
    for (const [name, value] of Object.entries(members)) filled.set(name, value);
    return filled;
  };
  const file = new File([new Uint8Array(recording)], "talk.wav");
  const model = "whisper-1";
  assert.deepEqual(await post(path, form({ file })), [400, "invalid_request", "model"]);
  assert.deepEqual(await post(path, form({ model })), [400, "invalid_request", "file"]);
  const empty = new File([], "talk.wav");
  assert.deepEqual(await post(path, form({ model, file: empty })), [400, "invalid_request", "file"]);
  const odd = form({ model, file, response_format: "docx" });
  assert.deepEqual(await post(path, odd), [400, "invalid_request", "response_format"]);
  const timeless = form({ model: "gpt-4o-transcribe", file, response_format: "srt" });
  assert.deepEqual(await post(path, timeless), [400, "invalid_request", "response_format"]);
  assert.deepEqual(await post("/v1/images/edits", form({ prompt: "x" })), [400, "invalid_request", "image"]);
  const text = JSON.stringify({
    model: "elevenlabs/eleven_flash_v2_5",
    input: "Hi",
    response_format: "flac",
  });
  assert.deepEqual(await post("/v1/audio/speech", text, "application/json"), [
    400,
    "invalid_request",
    "response_format",
  ]);
  const size = JSON.stringify({ model: "gpt-image-2", prompt: "x", size: "huge" });
  assert.deepEqual(await post("/v1/images/generations", size, "application/json"), [
    400,
    "invalid_request",
    "inputs.size",
  ]);
  assert.equal(await available(customer), before);
});

test("what a provider fails at, or does not make, costs nothing and is no file", async () => {
  const before = await available(customer);
  const speak = (input: string) =>
    post("/v1/audio/speech", JSON.stringify({ model: "tts-1", input }), "application/json");
  assert.deepEqual(await speak("[sandbox:fault-429]"), [503, "upstream_unavailable", null]);
  assert.deepEqual(await speak("[sandbox:fault-empty]"), [502, "run_failed", null]);
  const draw = (prompt: string) =>
    post("/v1/images/generations", JSON.stringify({ model: "flux-1.1-pro", prompt }), "application/json");
  assert.deepEqual(await draw("[sandbox:job-fail]"), [502, "run_failed", null]);
  assert.equal(await available(customer), before);
});
