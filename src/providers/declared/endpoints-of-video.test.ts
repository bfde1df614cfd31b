import assert from "node:assert/strict";
import { test } from "node:test";
import { contextOf, endpoint, RunUnderTest } from "./run-under-test.ts";

const veo = endpoint({
  request: {
    path: "/v1beta/models/veo-3.1-generate-preview:predictLongRunning",
    body: {
      instances: [{ prompt: "$.inputs.prompt" }],
      parameters: {
        durationSeconds: { $default: ["$.inputs.duration", 8] },
        aspectRatio: "$.inputs.aspect_ratio",
        resolution: "$.inputs.resolution",
        negativePrompt: "$.inputs.negative_prompt",
        sampleCount: 1,
      },
    },
  },
  errors: { message: "$.res.error.message", code: "$.res.error.status" },
  polling: {
    poll: { path: "/v1beta/{submit.name}" },
    status: { $if: ["$.res.done", { $if: ["$.res.error", "error", "done"] }, "pending"] },
    done: ["done"],
    failed: ["error"],
    message: "$.res.error.message",
    intervalMs: 5_000,
    backoff: 1,
  },
  output: {
    videos: {
      $map: {
        from: "$.poll.response.generateVideoResponse.generatedSamples",
        as: "s",
        to: { url: { $file: { url: "$.s.video.uri" } } },
      },
    },
  },
  emptyWhen: { $gt: [{ $len: "$.poll.response.generateVideoResponse.raiMediaFilteredReasons" }, 0] },
  meters: [
    {
      meter: "video_seconds",
      reserve: { $default: ["$.inputs.duration", 8] },
      quantity: {
        $mul: [
          { $default: ["$.inputs.duration", 8] },
          { $len: "$.poll.response.generateVideoResponse.generatedSamples" },
        ],
      },
    },
  ],
});

const operation = "models/veo-3.1-generate-preview/operations/abc-123";
const sample = "https://generativelanguage.googleapis.com/v1beta/files/f1:download?alt=media";

test("Veo: the operation's name keeps its slashes in the path, and seconds are metered per sample", () => {
  const run = new RunUnderTest(veo, contextOf({ prompt: "a fox runs", aspect_ratio: "16:9" }));
  assert.deepEqual(run.json, {
    instances: [{ prompt: "a fox runs" }],
    parameters: { durationSeconds: 8, aspectRatio: "16:9", sampleCount: 1 },
  });
  run.wait({ name: operation });
  assert.equal(run.where, `GET /v1beta/${operation}`);
  assert.equal(run.wait({ name: operation }), 5_000);
  assert.equal(run.wait({ name: operation, done: false }), 5_000);
  const response = { generateVideoResponse: { generatedSamples: [{ video: { uri: sample } }] } };
  const end = run.end({ name: operation, done: true, response });
  assert.deepEqual(end.output, { videos: [{ url: { $file: { url: sample } } }] });
  assert.deepEqual(end.usage, { video_seconds: 8 });
});

test("Veo: an error within the operation is a failure, filtered media are nothing made", () => {
  const failed = new RunUnderTest(veo, contextOf({ prompt: "x" }));
  failed.wait({ name: operation });
  const error = { code: 13, message: "internal error in the model" };
  assert.match(failed.fault({ name: operation, done: true, error }).detail, /internal error in the model/);
  const filtered = new RunUnderTest(veo, contextOf({ prompt: "x" }));
  filtered.wait({ name: operation });
  const response = { generateVideoResponse: { raiMediaFilteredReasons: ["a person"] } };
  const end = filtered.end({ name: operation, done: true, response });
  assert.deepEqual([end.isEmpty, end.output], [true, {}]);
});

test("Veo: the wait that Google tells in its error is honoured", () => {
  const run = new RunUnderTest(veo, contextOf({ prompt: "x" }));
  run.wait({ name: operation });
  const details = [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "34.4s" }];
  assert.equal(run.wait({ error: { code: 429, status: "RESOURCE_EXHAUSTED", details } }, 429), 35_000);
});

const kling = endpoint({
  request: {
    path: "/v1/videos/text2video",
    body: {
      model_name: "kling-v2-6",
      prompt: "$.inputs.prompt",
      duration: { $str: { $default: ["$.inputs.duration", 5] } },
      aspect_ratio: "$.inputs.aspect_ratio",
      callback_url: "$.run.webhook_url",
    },
  },
  errors: {
    when: { $ne: ["$.res.code", 0] },
    message: "$.res.message",
    code: "$.res.code",
    codes: { "1102": "credential", "1303": "busy", "1301": "rejected" },
    words: { "Risk Control System": "content" },
  },
  polling: {
    poll: { path: "/v1/videos/text2video/{submit.data.task_id}" },
    status: "$.res.data.task_status",
    done: ["succeed"],
    failed: ["failed"],
    message: "$.res.data.task_status_msg",
  },
  output: {
    videos: {
      $map: {
        from: "$.poll.data.task_result.videos",
        as: "v",
        to: { url: { $file: { url: "$.v.url" } }, duration: { $seconds: "$.v.duration" } },
      },
    },
  },
  meters: [
    {
      meter: "video_seconds",
      reserve: { $num: { $default: ["$.inputs.duration", 5] } },
      quantity: { $add: "$.poll.data.task_result.videos[*].seconds" },
    },
  ],
});

function envelope(data: object, code = 0): object {
  return { code, message: code === 0 ? "SUCCEED" : "no", request_id: "q1", data };
}

test("Kling: everything lies in an envelope, and its codes say what an error within 200 means", () => {
  const run = new RunUnderTest(kling, contextOf({ prompt: "a fox", duration: 10 }));
  assert.deepEqual(run.json, { model_name: "kling-v2-6", prompt: "a fox", duration: "10" });
  run.wait(envelope({ task_id: "87", task_status: "submitted", created_at: 1 }));
  assert.equal(run.where, "GET /v1/videos/text2video/87");
  run.wait(envelope({ task_id: "87", task_status: "processing" }));
  run.wait(envelope({}, 1303));
  const videos = [{ id: "v", url: "https://cdn.klingai.com/v.mp4", duration: "10.1", seconds: 10.1 }];
  const end = run.end(envelope({ task_id: "87", task_status: "succeed", task_result: { videos } }));
  assert.deepEqual(end.output, {
    videos: [{ url: { $file: { url: "https://cdn.klingai.com/v.mp4" } }, duration: 10.1 }],
  });
  assert.deepEqual(end.usage, { video_seconds: 10.1 });
});

test("Kling: errors in the envelope of a submission", () => {
  const kinds = [1102, 1303, 1301, 5000].map((code) => {
    const run = new RunUnderTest(kling, contextOf({ prompt: "a fox" }));
    const fault = run.fault(envelope({}, code));
    return `${fault.kind} ${fault.code} ${fault.status}`;
  });
  assert.deepEqual(kinds, ["credential 1102 200", "busy 1303 200", "rejected 1301 200", "failed 5000 200"]);
});

test("words of a message tell a refusal for its content where no code does, but not where it is about something else", () => {
  const message = "Failure to pass the risk control system";
  const heard = (answer: object, status?: number) => {
    const run = new RunUnderTest(kling, contextOf({ prompt: "a fox" }));
    run.wait(envelope({ task_id: "87", task_status: "submitted" }));
    return run.fault(answer, status).kind;
  };
  const failed = (told: string) => envelope({ task_id: "87", task_status: "failed", task_status_msg: told });
  assert.equal(heard(failed(message)), "content");
  assert.equal(heard(failed("Out of memory")), "failed");
  const refused = (code: number, status: number) =>
    new RunUnderTest(kling, contextOf({ prompt: "a fox" })).fault({ ...envelope({}, code), message }, status)
      .kind;
  assert.deepEqual(
    [
      refused(1200, 400),
      refused(1200, 200),
      refused(1303, 429),
      refused(9, 503),
      refused(9, 401),
      refused(1301, 400),
    ],
    ["content", "content", "busy", "unavailable", "credential", "rejected"],
  );
});

const runway = endpoint({
  request: {
    path: "/v1/image_to_video",
    headers: { "x-runway-version": "2024-11-06" },
    body: {
      model: "gen4_turbo",
      promptImage: { $dataurl: { url: "$.inputs.image_url", base64: "$.inputs.image", mime: "image/png" } },
      promptText: "$.inputs.prompt",
      ratio: "1280:720",
      duration: { $num: "$.inputs.duration" },
    },
  },
  errors: {
    message: "$.res.error",
    code: "$.res.failureCode",
    codes: { "SAFETY.*": "content", "SAFETY.INPUT.TEXT": "rejected" },
  },
  polling: {
    poll: { path: "/v1/tasks/{submit.id}" },
    cancel: { method: "DELETE", path: "/v1/tasks/{submit.id}" },
    done: ["SUCCEEDED"],
    failed: ["FAILED", "CANCELLED"],
    message: "$.res.failure",
    progress: "$.res.progress",
  },
  output: {
    videos: { $map: { from: "$.poll.output", as: "url", to: { url: { $file: { url: "$.url" } } } } },
  },
  meters: [
    { meter: "video_seconds", reserve: { $num: "$.inputs.duration" } },
    {
      meter: "upstream_usd",
      reserve: 0,
      quantity: { $div: [{ $default: ["$.poll.cost.credits", "$.poll.estimatedCost.credits"] }, 100] },
    },
  ],
});

test("Runway: progress is told while it runs, a task can be called off, its own codes mean what they mean", () => {
  const run = new RunUnderTest(runway, contextOf({ prompt: "go", image: "aW1n", duration: "5s" }));
  assert.deepEqual(run.json, {
    model: "gen4_turbo",
    promptImage: "data:image/png;base64,aW1n",
    promptText: "go",
    ratio: "1280:720",
    duration: 5,
  });
  run.wait({ id: "t-1" });
  const step = run.hear({ id: "t-1", status: "RUNNING", progress: 0.42 });
  assert.equal(step.state === "ask" ? step.progress : undefined, 0.42);
  assert.deepEqual(run.wire.cancel(run.context, run.memory), {
    method: "DELETE",
    target: { path: "/v1/tasks/t-1" },
    headers: {},
    body: undefined,
  });
  const end = run.end({
    id: "t-1",
    status: "SUCCEEDED",
    output: ["https://d.example/o.mp4?jwt=1"],
    cost: { credits: 25 },
  });
  assert.deepEqual(end.usage, { video_seconds: 5, upstream_usd: 0.25 });
  const refused = new RunUnderTest(
    runway,
    contextOf({ prompt: "go", image_url: "https://e.example/i.png", duration: 5 }),
  );
  refused.wait({ id: "t-2" });
  for (const [failureCode, kind] of [
    ["SAFETY.INPUT.TEXT", "rejected"],
    ["SAFETY.OUTPUT.VIDEO", "content"],
    ["UNSAFETY.OUTPUT", "failed"],
    ["INTERNAL.BAD_OUTPUT.CODE01", "failed"],
  ] as const) {
    const fault = refused.fault({ id: "t-2", status: "FAILED", failure: "not allowed", failureCode });
    assert.deepEqual([fault.kind, fault.code], [kind, failureCode]);
  }
});
