import assert from "node:assert/strict";
import { test } from "node:test";
import { contextOf, endpoint, RunUnderTest } from "./run-under-test.ts";

/** Definitions of image endpoints, each with answers as their documentation shows them (reference: providers.md §4, §8). */

const bfl = endpoint({
  request: {
    path: "/v1/flux-pro-1.1",
    body: {
      prompt: "$.inputs.prompt",
      width: { $default: ["$.inputs.width", 1024] },
      height: { $default: ["$.inputs.height", 768] },
      seed: "$.inputs.seed",
      output_format: "$.inputs.output_format",
    },
  },
  errors: { message: "$.res.detail" },
  polling: {
    poll: { url: "$.submit.polling_url" },
    done: ["Ready"],
    failed: ["Error", "Failed", "Request Moderated", "Content Moderated", "Task not found"],
    message: "$.res.status",
    intervalMs: 500,
    backoff: 1.5,
    webhook: { in: "body", parameter: "webhook_url" },
  },
  output: { images: [{ url: { $file: { url: "$.poll.result.sample" } } }], seed: "$.poll.result.seed" },
  meters: [
    { meter: "images" },
    { meter: "upstream_usd", reserve: 0, quantity: { $div: ["$.submit.cost", 100] } },
  ],
});

const submitted = {
  id: "task-1",
  polling_url: "https://api.eu1.bfl.ai/v1/get_result?id=task-1",
  cost: 4,
  input_mp: 0,
};

test("BFL: a picture by polling the address that the first answer named, metered by the told credits", () => {
  const run = new RunUnderTest(bfl, contextOf({ prompt: "a fox", seed: 7 }));
  assert.equal(run.where, "POST /v1/flux-pro-1.1");
  assert.deepEqual(run.json, { prompt: "a fox", width: 1024, height: 768, seed: 7 });
  assert.equal(run.ask.headers["content-type"], "application/json");
  assert.equal(run.wait(submitted), 500);
  assert.equal(run.where, "GET https://api.eu1.bfl.ai/v1/get_result?id=task-1");
  assert.deepEqual(run.memory.submit, { polling_url: submitted.polling_url, cost: 4 });
  assert.equal(run.wait({ id: "task-1", status: "Pending", result: null }), 750);
  assert.equal(run.wait({ id: "task-1", status: "Pending", result: null }), 1_125);
  const sample = "https://delivery-eu1.bfl.ai/results/x.jpeg?sig=1";
  const done = run.end({ id: "task-1", status: "Ready", result: { sample, seed: 7, duration: 2.1 } });
  assert.deepEqual(done.output, { images: [{ url: { $file: { url: sample } } }], seed: 7 });
  assert.deepEqual(done.usage, { images: 1, upstream_usd: 0.04 });
  assert.equal(done.estimated, false);
});

test("BFL: moderation is a failure of the work, and a webhook's address is sent where there is one", () => {
  const hooked = { run: { id: "run_1", webhookUrl: "https://gate.example/hooks/abc" } };
  const run = new RunUnderTest(bfl, contextOf({ prompt: "a fox" }, hooked));
  assert.deepEqual(run.json, {
    prompt: "a fox",
    width: 1024,
    height: 768,
    webhook_url: "https://gate.example/hooks/abc",
  });
  run.wait(submitted);
  const fault = run.fault({ id: "task-1", status: "Content Moderated", result: null });
  assert.deepEqual([fault.kind, fault.detail], ["failed", "200 Content Moderated"]);
});

test("BFL: what it refuses at the door is told apart: inputs, account, too many at once", () => {
  const kinds = [422, 402, 429].map((status) => {
    const run = new RunUnderTest(bfl, contextOf({ prompt: "" }));
    return run.fault({ detail: [{ loc: ["body", "prompt"], msg: "too short" }] }, status, {
      "retry-after": "7",
    });
  });
  assert.deepEqual(
    kinds.map(({ kind, retryAfterSeconds }) => [kind, retryAfterSeconds]),
    [
      ["rejected", 7],
      ["credential", 7],
      ["busy", 7],
    ],
  );
  assert.match(kinds[0]?.detail ?? "", /^422 \[\{"loc":\["body","prompt"\],"msg":"too short"\}\]$/);
});

const replicate = endpoint({
  request: {
    path: "/models/black-forest-labs/flux-1.1-pro/predictions",
    headers: { prefer: "wait=55" },
    body: { input: "$.inputs" },
  },
  polling: {
    skipWhen: { $in: ["$.submit.status", ["succeeded", "failed", "canceled", "aborted"]] },
    poll: { url: "$.submit.urls.get" },
    cancel: { method: "POST", url: "$.submit.urls.cancel" },
    done: ["succeeded"],
    failed: ["failed", "canceled", "aborted"],
    message: "$.res.error",
  },
  output: {
    images: { $map: { from: { $array: "$.res.output" }, as: "u", to: { url: { $file: { url: "$.u" } } } } },
  },
  meters: [
    { meter: "images", quantity: { $len: { $array: "$.res.output" } } },
    { meter: "compute_seconds", reserve: 60, quantity: "$.res.metrics.predict_time" },
  ],
});

function prediction(status: string, more: object = {}): object {
  return {
    id: "p1",
    model: "black-forest-labs/flux-1.1-pro",
    input: { prompt: "a fox", secret_of_size: "x".repeat(5_000) },
    status,
    output: null,
    error: null,
    metrics: {},
    urls: {
      get: "https://api.replicate.com/v1/predictions/p1",
      cancel: "https://api.replicate.com/v1/predictions/p1/cancel",
    },
    ...more,
  };
}

const done = { output: "https://replicate.delivery/x/out.webp", metrics: { predict_time: 2.25 } };

test("Replicate: a prediction that is done within the first answer is not asked for again", () => {
  const run = new RunUnderTest(replicate, contextOf({ prompt: "a fox", aspect_ratio: "1:1" }));
  assert.equal(run.ask.headers["prefer"], "wait=55");
  assert.deepEqual(run.json, { input: { prompt: "a fox", aspect_ratio: "1:1" } });
  const end = run.end(prediction("succeeded", done), 201);
  assert.deepEqual(end.output, { images: [{ url: { $file: { url: done.output } } }] });
  assert.deepEqual(end.usage, { images: 1, compute_seconds: 2.25 });
});

test("Replicate: one that is not is polled, can be called off, and keeps only addresses in the memory", () => {
  const run = new RunUnderTest(replicate, contextOf({ prompt: "a fox" }));
  assert.equal(run.wire.cancel(run.context, run.memory), undefined);
  run.wait(prediction("processing"), 201);
  assert.deepEqual(run.memory, {
    phase: "poll",
    submit: {
      urls: {
        get: "https://api.replicate.com/v1/predictions/p1",
        cancel: "https://api.replicate.com/v1/predictions/p1/cancel",
      },
    },
    polls: 0,
  });
  assert.deepEqual(run.wire.cancel(run.context, run.memory), {
    method: "POST",
    target: { url: "https://api.replicate.com/v1/predictions/p1/cancel" },
    headers: {},
    body: undefined,
  });
  const many = { output: ["https://r.example/1.webp", "https://r.example/2.webp"], metrics: {} };
  const end = run.end(prediction("succeeded", many));
  assert.deepEqual(end.usage, { images: 2, compute_seconds: 60 });
  assert.equal(end.estimated, true, "the seconds were not told");
});

test("Replicate: a prediction that failed at once or later is a failure with its reason", () => {
  const atOnce = new RunUnderTest(replicate, contextOf({ prompt: "x" }));
  const failure = { error: "NSFW content detected" };
  assert.match(atOnce.fault(prediction("failed", failure), 201).detail, /NSFW content/);
  const later = new RunUnderTest(replicate, contextOf({ prompt: "x" }));
  later.wait(prediction("starting"), 201);
  assert.deepEqual([later.fault(prediction("failed", failure)).kind, later.memory.phase], ["failed", "poll"]);
});

const fal = endpoint({
  request: { path: "/fal-ai/flux/dev", body: "$.inputs" },
  errors: { message: { $default: ["$.res.detail[0].msg", "$.res.detail"] }, code: "$.res.detail[0].type" },
  polling: {
    poll: { url: "$.submit.status_url", query: { logs: 1 } },
    cancel: { method: "PUT", url: "$.submit.cancel_url" },
    done: ["COMPLETED"],
    webhook: { in: "query", parameter: "fal_webhook" },
  },
  fetches: [{ url: "$.submit.response_url", as: "result" }],
  output: {
    images: {
      $map: {
        from: "$.result.images",
        as: "i",
        to: { url: { $file: { url: "$.i.url" } }, width: "$.i.width", height: "$.i.height" },
      },
    },
  },
  meters: [
    {
      meter: "images",
      reserve: { $default: ["$.inputs.num_images", 1] },
      quantity: { $len: "$.result.images" },
    },
  ],
});

const queued = {
  request_id: "r1",
  status: "IN_QUEUE",
  queue_position: 3,
  status_url: "https://queue.fal.run/fal-ai/flux/requests/r1/status",
  response_url: "https://queue.fal.run/fal-ai/flux/requests/r1",
  cancel_url: "https://queue.fal.run/fal-ai/flux/requests/r1/cancel",
};

test("fal: the result is fetched in a second step, after the queue says that it is done", () => {
  const hooked = { run: { id: "run_1", webhookUrl: "https://gate.example/h?a=1&b=2" } };
  const run = new RunUnderTest(fal, contextOf({ prompt: "a fox", num_images: 2 }, hooked));
  assert.equal(run.where, "POST /fal-ai/flux/dev?fal_webhook=https%3A%2F%2Fgate.example%2Fh%3Fa%3D1%26b%3D2");
  assert.deepEqual(run.wire.reserve(run.context), { images: 2 });
  run.wait(queued);
  assert.equal(run.where, "GET https://queue.fal.run/fal-ai/flux/requests/r1/status?logs=1");
  run.wait({ ...queued, status: "IN_PROGRESS" }, 202);
  assert.equal(run.wait({ ...queued, status: "COMPLETED" }), 0);
  assert.equal(run.where, "GET https://queue.fal.run/fal-ai/flux/requests/r1");
  assert.equal(run.memory.phase, "fetch");
  const images = [
    { url: "https://v3.fal.media/1.png", width: 1024, height: 768, content_type: "image/png" },
    { url: "https://v3.fal.media/2.png", width: 1024, height: 768, content_type: "image/png" },
  ];
  const end = run.end({ images, seed: 1, timings: { inference: 1.1 } });
  assert.deepEqual(end.output, {
    images: images.map(({ url, width, height }) => ({ url: { $file: { url } }, width, height })),
  });
  assert.deepEqual(end.usage, { images: 2 });
});

test("fal: a failure that shows only when the result is fetched is a verdict", () => {
  const run = new RunUnderTest(fal, contextOf({ prompt: "a fox" }));
  run.wait(queued);
  run.wait({ ...queued, status: "COMPLETED" });
  const detail = [
    { loc: ["body", "prompt"], msg: "content is not allowed", type: "content_policy_violation" },
  ];
  const fault = run.fault({ detail }, 422);
  assert.deepEqual([fault.kind, fault.code], ["rejected", "content_policy_violation"]);
  assert.match(fault.detail, /content is not allowed/);
});

const openai = endpoint({
  request: {
    path: "/images/generations",
    body: {
      model: "gpt-image-1",
      prompt: "$.inputs.prompt",
      n: "$.inputs.n",
      size: "$.inputs.size",
      quality: "$.inputs.quality",
      output_format: "$.inputs.output_format",
    },
  },
  errors: { message: "$.res.error.message", code: "$.res.error.code" },
  output: {
    images: {
      $map: {
        from: "$.res.data",
        as: "i",
        to: {
          url: {
            $file: {
              base64: "$.i.b64_json",
              mime: { $tpl: "image/{inputs.output_format}" },
              name: "picture",
            },
          },
          revised_prompt: "$.i.revised_prompt",
        },
      },
    },
  },
  meters: [
    { meter: "images", reserve: { $default: ["$.inputs.n", 1] }, quantity: { $len: "$.res.data" } },
    { meter: "output_tokens", reserve: 0, quantity: "$.res.usage.output_tokens" },
  ],
});

test("OpenAI images: base64 in the answer becomes files, tokens are metered as told", () => {
  const run = new RunUnderTest(openai, contextOf({ prompt: "a fox", n: 2, output_format: "webp" }));
  assert.deepEqual(run.json, { model: "gpt-image-1", prompt: "a fox", n: 2, output_format: "webp" });
  const end = run.end({
    created: 1,
    data: [{ b64_json: "UklGRg==" }, { b64_json: "UklGRh==", revised_prompt: "a red fox" }],
    usage: { input_tokens: 9, output_tokens: 2112 },
  });
  const file = (base64: string): object => ({ $file: { base64, mime: "image/webp", name: "picture" } });
  assert.deepEqual(end.output, {
    images: [{ url: file("UklGRg==") }, { url: file("UklGRh=="), revised_prompt: "a red fox" }],
  });
  assert.deepEqual(end.usage, { images: 2, output_tokens: 2112 });
});

test("OpenAI images: an answer without pictures is unreadable, not a charged nothing", () => {
  const run = new RunUnderTest(openai, contextOf({ prompt: "a fox" }));
  assert.equal(run.fault({ created: 1 }).kind, "unreadable");
  assert.equal(run.fault({ created: 1, data: [{}] }).kind, "unreadable");
});
