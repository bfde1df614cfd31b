/** Images, videos and sounds of hosted models as a customer gets them in test mode: shape, meters, exact price. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import sharp from "sharp";
import { readInputs } from "../src/calls/runs/run-inputs.ts";
import { loadCatalog } from "../src/catalog/load.ts";
import { isJsonObject } from "../src/core/json-object.ts";
import type { JsonObject } from "../src/core/json-object.ts";
import type { RunModel } from "../src/core/model.ts";
import { costOf } from "../src/core/price.ts";
import { compileEndpoint } from "../src/providers/declared/compile-endpoint.ts";
import { endsClean } from "./support/clean-end.ts";
import type { Customer } from "./support/gateway-api.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";

let gateway: Gateway;
before(async () => {
  gateway = await startGateway();
});
after(() => endsClean(gateway));

type Answer = {
  readonly status: number;
  // The answers of the API under test: each test asserts the members it reads.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
  readonly cost: string | null;
};

async function run({ key }: Customer, model: string, inputs: object): Promise<Answer> {
  const response = await fetch(`${gateway.url}/v1/run`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model, inputs }),
  });
  return {
    status: response.status,
    body: await response.json(),
    cost: response.headers.get("x-skillboss-cost"),
  };
}

const payer = (): Promise<Customer> => gateway.customer({ mode: "test", credits: "1000.00" });

async function spent({ key }: Customer): Promise<number> {
  const { body } = await gateway.get(key, "/v1/balance");
  assert.equal(body.held, "0.000000");
  return Math.round((1_000 - Number(body.available)) * 1e6) / 1e6;
}

async function pictureAt(url: string): Promise<readonly [number, number, string]> {
  const response = await fetch(url);
  assert.equal(response.status, 200);
  const { width, height, format } = await sharp(Buffer.from(await response.arrayBuffer())).metadata();
  return [width, height, format];
}

test("a drawing is shown in pictures, and is never a page of ours", async () => {
  const customer = await payer();
  const inputs = { prompt: "A paper boat" };
  for (const model of ["recraft-v4-svg", "fal/recraft/v4/text-to-vector"]) {
    const { status, body } = await run(customer, model, inputs);
    assert.equal(status, 200, JSON.stringify(body));
    assert.deepEqual(await pictureAt(body.image_url), [1_024, 1_024, "svg"]);
    const { headers } = await fetch(body.image_url);
    assert.equal(headers.get("content-type"), "image/svg+xml");
    const policy = "sandbox; default-src 'none'; style-src 'unsafe-inline'";
    assert.equal(headers.get("content-security-policy"), policy);
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.match(headers.get("content-disposition") ?? "", /^attachment; filename="file_\w+\.svg"/);
  }
});

async function typeAt(url: string): Promise<string | null> {
  const response = await fetch(url);
  await response.arrayBuffer();
  return response.headers.get("content-type");
}

type Case = {
  readonly model: string;
  readonly inputs: object;
  readonly usage: Readonly<Record<string, number>>;
  /** Credits of 0.05 USD. */
  readonly cost: string;
  readonly check?: (body: Answer["body"]) => Promise<void> | void;
};

const photo = "https://example.com/photo.png";
const dot =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const prompt = "A fox";

const videoIs = async (body: Answer["body"]): Promise<void> => {
  assert.equal(body.video_url, body.videos[0]);
  assert.equal(body.generatedSamples[0].video.uri, body.video_url);
  assert.equal(await typeAt(body.video_url), "video/mp4");
};

const openai: readonly Case[] = [
  {
    model: "gpt-image-2.5-flare",
    inputs: { prompt, num_outputs: 2, size: "1536x1024", quality: "medium", output_format: "webp" },
    usage: { input_tokens: 2, output_tokens: 3_168 },
    cost: "1.901000",
    async check(body) {
      assert.deepEqual([body.images.length, body.data.length], [2, 2]);
      assert.deepEqual(await pictureAt(body.images[1].url), [1_536, 1_024, "webp"]);
    },
  },
  {
    model: "dall-e-3",
    inputs: { prompt, quality: "hd", size: "1792x1024", style: "vivid" },
    usage: { images: 2 },
    cost: "1.600000",
    async check(body) {
      assert.equal(body.model, "dall-e-3");
      assert.deepEqual((await pictureAt(body.image_url)).slice(0, 2), [1_792, 1_024]);
    },
  },
  {
    model: "openai/dall-e-3",
    inputs: { prompt, n: 2 },
    usage: { images: 2 },
    cost: "1.600000",
  },
  {
    model: "openai/image-edit",
    inputs: { prompt, images: [dot, dot], quality: "low" },
    usage: { input_tokens: 530, output_tokens: 272 },
    cost: "0.248000",
  },
];

const google: readonly Case[] = [
  {
    model: "google/veo-3.1",
    inputs: { prompt, duration_seconds: 4, resolution: "4k", n: 2 },
    usage: { video_seconds: 12 },
    cost: "124.800000",
    async check(body) {
      assert.equal(body.videos.length, 2);
      await videoIs(body);
    },
  },
  {
    model: "vertex/veo-3.1-fast-generate-preview",
    inputs: { instances: [{ prompt }], parameters: { durationSeconds: 6, aspectRatio: "9:16" } },
    usage: { video_seconds: 6 },
    cost: "18.000000",
  },
  {
    model: "google/veo-3.1-lite",
    inputs: { image_url: dot, prompt, last_frame: dot },
    usage: { video_seconds: 8 },
    cost: "8.000000",
  },
];

const bfl: readonly Case[] = [
  {
    model: "flux-2-max",
    inputs: { prompt, size: "2048x1024" },
    usage: { images: 1, megapixels: 1 },
    cost: "2.000000",
    check: async (body) => assert.deepEqual((await pictureAt(body.image_url)).slice(0, 2), [2_048, 1_024]),
  },
  {
    model: "flux-1.1-pro",
    inputs: { prompt, size: "512*256" },
    usage: { images: 1 },
    cost: "2.000000",
    check: async (body) => assert.deepEqual((await pictureAt(body.image_url)).slice(0, 2), [512, 256]),
  },
  {
    model: "bfl/flux-kontext-max",
    inputs: { prompt, image: dot },
    usage: { images: 1 },
    cost: "1.600000",
  },
];

const fal: readonly Case[] = [
  {
    model: "flux-dev",
    inputs: { prompt, size: "2048*1024", num_images: 2 },
    usage: { megapixels: 4 },
    cost: "2.000000",
    check({ images }) {
      assert.deepEqual([images.length, images[0].width, images[0].height], [2, 2_048, 1_024]);
    },
  },
  {
    model: "fal/img2img",
    inputs: {
      image_url: photo,
      prompt,
      strength: 0.75,
      image_size: "square_hd",
      output_format: "jpeg",
      num_images: 1,
    },
    usage: { megapixels: 1 },
    cost: "0.600000",
  },
  {
    model: "fal-ai/ideogram/v3",
    inputs: { prompt, rendering_speed: "QUALITY" },
    usage: { images: 3 },
    cost: "1.800000",
  },
  { model: "fal/upscale", inputs: { image_url: photo, scale: 4 }, usage: { images: 1.8 }, cost: "0.900000" },
  {
    model: "fal/kling-video/v2.6/pro/text-to-video",
    inputs: { prompt, duration: 10, generate_audio: false },
    usage: { video_seconds: 5 },
    cost: "14.000000",
    check: videoIs,
  },
  {
    model: "fal/veo3.1/image-to-video",
    inputs: { prompt, image: photo, generate_audio: false },
    usage: { video_seconds: 4 },
    cost: "32.000000",
  },
  {
    model: "seedance/seedance-2.0",
    inputs: { prompt, duration: 5, resolution: "480p" },
    usage: { output_tokens: 48_750 },
    cost: "13.650000",
  },
  {
    model: "fal/kokoro/italian",
    inputs: { text: "Ciao ragazzi", voice: "if_sara" },
    usage: { chars: 12 },
    cost: "0.004800",
    check: async (body) => assert.match((await typeAt(body.audio_url)) ?? "", /^audio\//),
  },
  {
    model: "fal/ace-step",
    inputs: { tags: "piano, rain", duration: 30 },
    usage: { audio_seconds: 30 },
    cost: "0.120000",
  },
];

const replicate: readonly Case[] = [
  {
    model: "replicate/black-forest-labs/flux-2-pro",
    inputs: { prompt, resolution: "4 MP" },
    usage: { images: 2.5 },
    cost: "1.500000",
  },
  { model: "remove-bg", inputs: { image: photo }, usage: { images: 1 }, cost: "0.100000" },
  {
    model: "replicate/bytedance/seedance-1-lite",
    inputs: { prompt, image_url: photo, resolution: "1080p" },
    usage: { video_seconds: 20 },
    cost: "7.200000",
    check: videoIs,
  },
  {
    model: "stable-audio-2.5",
    inputs: { prompt, duration: 4 },
    usage: { requests: 1 },
    cost: "4.000000",
  },
];

const makersOfVideos: readonly Case[] = [
  {
    model: "runway/gen-4.5",
    inputs: { prompt, seconds: 3 },
    usage: { video_seconds: 3 },
    cost: "7.200000",
    check: videoIs,
  },
  {
    model: "runway/gen-4-image",
    inputs: { prompt, resolution: "1080p", aspect_ratio: "4:3" },
    usage: { images: 1.6 },
    cost: "1.600000",
    check: async (body) => assert.deepEqual((await pictureAt(body.image_url)).slice(0, 2), [1_440, 1_080]),
  },
  {
    model: "luma/ray-2",
    inputs: { prompt, image: photo, duration: 9, resolution: "540p" },
    usage: { megapixels: 111.974_4 },
    cost: "14.332724",
    check: videoIs,
  },
  {
    model: "kling/kling-v3-pro",
    inputs: { prompt, duration: 7, generate_audio: true },
    usage: { video_seconds: 10.5 },
    cost: "23.520000",
    check: videoIs,
  },
  {
    model: "minimax/h3",
    inputs: { prompt, duration: 6, resolution: "2K" },
    usage: { video_seconds: 9.75 },
    cost: "15.600000",
    check: videoIs,
  },
  {
    model: "minimax/hailuo",
    inputs: { prompt, duration: 10 },
    usage: { video_seconds: 12 },
    cost: "11.200000",
    check: videoIs,
  },
];

const groups = { openai, google, bfl, fal, replicate, makersOfVideos };

suite("pictures, videos and sounds", { concurrency: 6 }, () => {
  for (const { model, inputs, usage, cost, check } of Object.values(groups).flat()) {
    test(`${model} with ${JSON.stringify(inputs).slice(0, 60)} costs ${cost} credits`, async () => {
      const customer = await payer();
      const answer = await run(customer, model, inputs);
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      assert.equal(answer.body.status, "completed");
      assert.deepEqual(answer.body.usage, usage);
      assert.equal(answer.body.usage_estimated, undefined);
      assert.equal(answer.cost, cost);
      assert.equal(await spent(customer), Number(cost));
      await check?.(answer.body);
    });
  }
});

/** One model of each provider whose inputs have a text that can order a fault. */
const oneOfEach: readonly (readonly [string, object])[] = [
  ["openai/gpt-image-2", {}],
  ["google/veo-3.1", {}],
  ["bfl/flux-2-pro", {}],
  ["fal/flux/schnell", {}],
  ["replicate/qwen/qwen-image", {}],
  ["runway/gen-4.5", {}],
  ["luma/ray-flash-2", {}],
  ["kling/kling-v2-6", {}],
  ["minimax/minimax-h3", {}],
  ["minimax/hailuo-2.3", {}],
];

suite("what goes wrong at a provider costs nothing and is told in our words", { concurrency: 6 }, () => {
  for (const [model, inputs] of oneOfEach) {
    test(model, async () => {
      const customer = await payer();
      const toldOf = async (order: string): Promise<string> => {
        const { status, body } = await run(customer, model, {
          ...inputs,
          prompt: `A fox [sandbox:${order}]`,
        });
        assert.doesNotMatch(JSON.stringify(body), /sandbox|fault|balance not|credits to run/);
        return `${status} ${body.error?.code}`;
      };
      assert.equal(await toldOf("fault-400"), "400 upstream_rejected_request");
      assert.equal(await toldOf("fault-402"), "503 upstream_unavailable");
      assert.equal(await toldOf("fault-429"), "503 upstream_unavailable");
      if (!model.startsWith("openai/")) assert.equal(await toldOf("job-fail"), "502 run_failed");
      assert.equal(await spent(customer), 0);
    });
  }
});

const catalog = loadCatalog({ directories: [join(import.meta.dirname, "..", "catalog")] });
const makers = new Set(["openai", "google", "bfl", "fal", "replicate", "runway", "luma", "kling", "minimax"]);
const models: readonly RunModel[] = catalog.models.flatMap((model) =>
  model.kind === "run" && makers.has(model.offers[0]?.provider.id ?? "") ? [model] : [],
);

/** The example, and the example with each other choice that a member of the inputs allows. */
function variantsOf({ inputs, example }: RunModel): readonly JsonObject[] {
  const properties = isJsonObject(inputs["properties"]) ? inputs["properties"] : {};
  const others = Object.entries(properties).flatMap(([name, schema]) =>
    choicesOf(schema).map((choice) => ({ ...example, [name]: choice })),
  );
  return [example, ...others];
}

function choicesOf(schema: unknown): readonly unknown[] {
  if (!isJsonObject(schema)) return [];
  if (Array.isArray(schema["enum"])) return schema["enum"];
  if (schema["type"] === "boolean") return [true, false];
  return [schema["minimum"], schema["maximum"]].filter((limit) => typeof limit === "number");
}

test("whatever is chosen of the inputs, what it may cost at most is known beforehand and is not nothing", () => {
  assert.ok(models.length > 600, `${models.length} models`);
  let count = 0;
  for (const model of models) {
    const [offer] = model.offers;
    assert.ok(offer !== undefined && "endpoint" in offer.work, model.id);
    const compiled = compileEndpoint(offer.work.endpoint);
    assert.ok("wire" in compiled, model.id);
    for (const variant of variantsOf(model)) {
      const inputs = readInputs(model, variant);
      const usage = compiled.wire.reserve({ inputs, env: {}, run: { id: "run_1", webhookUrl: undefined } });
      assert.ok(costOf(offer.price, usage, "0.05") > 0n, `${model.id} ${JSON.stringify(variant)}`);
      count += 1;
    }
  }
  assert.ok(count > 5_000, `${count} variants`);
});
