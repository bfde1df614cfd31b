import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { TestContext } from "node:test";
import type { JsonObject } from "../../core/json-object.ts";
import { Problem } from "../../core/problems.ts";
import type { Engine, EngineContext, EngineResult } from "../engine.ts";
import { findProgram } from "../find-program.ts";
import { makeFakeProgram, startFakeServer } from "./fake-whisper.ts";
import type { FakeProgram, FakeServer } from "./fake-whisper.ts";
import { transcribeEngine } from "./transcribe-engine.ts";
import type { TranscribeSettings } from "./transcribe-engine.ts";

const nothingSet: TranscribeSettings = {
  program: undefined,
  model: undefined,
  url: undefined,
  apiKey: undefined,
  searchPath: "",
};

const sample = (name: string) => readFileSync(join(import.meta.dirname, "../../core/sound/samples", name));
const mp3 = sample("cbr.mp3");
const audioData = mp3.toString("base64");

function run(engine: Engine, inputs: JsonObject, more: Partial<EngineContext> = {}): Promise<EngineResult> {
  const fetchFile = () => Promise.reject(new Error("nothing is to be fetched here"));
  return engine.run({ inputs, signal: new AbortController().signal, fetchFile, ...more });
}

async function problemOf(running: Promise<EngineResult>): Promise<Problem> {
  try {
    await running;
  } catch (error) {
    assert.ok(error instanceof Problem, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: "the run did not fail" });
}

const json = (status: number, body: unknown) => (response: ServerResponse) => {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(typeof body === "string" ? body : JSON.stringify(body));
};

async function serverSaying(t: TestContext, answer: (response: ServerResponse) => void): Promise<FakeServer> {
  const server = await startFakeServer(answer);
  t.after(() => server.stop());
  return server;
}

const whole = {
  text: " Hello there. General Kenobi.\n",
  language: "english",
  duration: 1.23,
  segments: [
    { id: 0, start: 0, end: 0.6, text: " Hello there.", tokens: [1] },
    { id: 1, start: 0.6, end: 1.2, text: " General Kenobi." },
    { id: 2, start: 1.2, end: 1.2, text: " " },
  ],
};

test("a recording goes to the server whole, with language and hint, and its answer comes back in our words", async (t) => {
  const server = await serverSaying(t, json(200, whole));
  const engine = transcribeEngine({ ...nothingSet, url: server.origin, apiKey: "secret", model: "large-v3" });
  assert.equal(engine.missing(), undefined);
  const inputs = {
    audio_data: audioData,
    filename: '"x\r\n.mp3',
    language: "EN-us",
    prompt: "Kenobi\r\n--é",
  };
  const result = await run(engine, inputs);
  assert.deepEqual(result.output, {
    text: "Hello there. General Kenobi.",
    language: "english",
    duration_seconds: 1.234,
    segments: [
      { start: 0, end: 0.6, text: "Hello there." },
      { start: 0.6, end: 1.2, text: "General Kenobi." },
    ],
  });
  assert.deepEqual([result.usage, result.files, result.isEmpty], [{ audio_seconds: 1.234 }, [], false]);
  const [asked, ...others] = server.asked;
  assert.ok(asked !== undefined && others.length === 0);
  assert.deepEqual([asked.path, asked.authorization], ["/v1/audio/transcriptions", "Bearer secret"]);
  assert.equal(asked.fileName, "audio.mp3");
  const { file, ...texts } = Object.fromEntries(asked.fields);
  assert.ok(Buffer.from(file ?? "", "latin1").equals(mp3));
  const prompt = Buffer.from("Kenobi --é").toString("latin1");
  assert.deepEqual(texts, { model: "large-v3", response_format: "verbose_json", language: "en", prompt });
});

test("the address of a server may be a place, a base or the path itself", async (t) => {
  const server = await serverSaying(t, json(200, { text: "x" }));
  for (const [given, asked] of [
    ["/", "/v1/audio/transcriptions"],
    ["/v1/", "/v1/audio/transcriptions"],
    ["/proxy", "/proxy/v1/audio/transcriptions"],
    ["/inference", "/inference"],
    ["/api/audio/transcriptions?key=1", "/api/audio/transcriptions?key=1"],
  ]) {
    const { output } = await run(transcribeEngine({ ...nothingSet, url: server.origin + given }), {
      audio_data: audioData,
    });
    assert.equal(server.asked.at(-1)?.path, asked);
    assert.deepEqual(output, { text: "x", duration_seconds: 1.234 });
  }
});

test("a recording by address is read through the guarded way out, in any format", async (t) => {
  const server = await serverSaying(t, json(200, whole));
  const engine = transcribeEngine({ ...nothingSet, url: server.origin });
  for (const [name, sent] of [
    ["whole.m4a", "audio.m4a"],
    ["live.webm", "audio.webm"],
    ["opus.ogg", "audio.ogg"],
  ] as const) {
    const result = await run(
      engine,
      { audio_url: `https://files.example/${name}` },
      { fetchFile: (url) => Promise.resolve({ bytes: sample(name), contentType: "text/plain", url }) },
    );
    assert.equal(server.asked.at(-1)?.fileName, sent);
    assert.ok(Math.abs((result.usage.audio_seconds ?? 0) - 1.234) < 0.02);
  }
});

test("nothing heard costs nothing", async (t) => {
  const server = await serverSaying(t, json(200, { text: " \n" }));
  const result = await run(transcribeEngine({ ...nothingSet, url: server.origin }), {
    audio_data: audioData,
  });
  assert.deepEqual([result.output["text"], result.isEmpty], ["", true]);
});

test("what was heard is paid where it is much longer than the file says", async (t) => {
  const server = await serverSaying(t, json(200, { text: "x", duration: 3600.5 }));
  const result = await run(transcribeEngine({ ...nothingSet, url: server.origin }), {
    audio_data: audioData,
  });
  assert.deepEqual(result.usage, { audio_seconds: 3600.5 });
});

test("a server that refuses, fails or talks nonsense is told apart, and its words are not shown", async (t) => {
  for (const [status, body, code] of [
    [400, { error: "your-secret-path" }, "upstream_rejected_request"],
    [413, "your-secret-path", "request_too_large"],
    [401, "your-secret-path", "upstream_unavailable"],
    [404, "your-secret-path", "upstream_unavailable"],
    [429, "your-secret-path", "upstream_unavailable"],
    [503, "your-secret-path", "upstream_unavailable"],
    [302, "", "upstream_unavailable"],
    [200, "your-secret-path", "upstream_invalid_response"],
    [200, { text: 5 }, "upstream_invalid_response"],
    [200, "[]", "upstream_invalid_response"],
    [200, { text: "x".repeat(20_000_001) }, "upstream_invalid_response"],
  ] as const) {
    const server = await serverSaying(t, json(status, body));
    const engine = transcribeEngine({ ...nothingSet, url: server.origin });
    const problem = await problemOf(run(engine, { audio_data: audioData }));
    assert.equal(problem.code, code, `${status}`);
    assert.ok(!problem.message.includes("secret"));
    assert.equal(server.asked.length, 1);
  }
});

test("a server that is gone, hangs up or falls silent is given up", async (t) => {
  const gone = await startFakeServer(json(200, whole));
  await gone.stop();
  const hangingUp = await serverSaying(t, (response) => void response.destroy());
  const breakingOff = await serverSaying(t, (response) => {
    response.writeHead(200, { "content-length": 100 });
    response.write('{"text":"', () => response.destroy());
  });
  for (const { origin } of [gone, hangingUp, breakingOff]) {
    const problem = await problemOf(
      run(transcribeEngine({ ...nothingSet, url: origin }), { audio_data: audioData }),
    );
    assert.equal(problem.code, "upstream_unavailable");
  }
  const silent = await serverSaying(t, () => undefined);
  const engine = transcribeEngine({ ...nothingSet, url: silent.origin, timeoutMs: 300 });
  assert.equal((await problemOf(run(engine, { audio_data: audioData }))).code, "upstream_timeout");
});

test("a run that is called off leaves the server at once, and so does one that a stop ends", async (t) => {
  const controller = new AbortController();
  const reason = new Problem("shutting_down", { message: "called off" });
  const server = await serverSaying(t, () => controller.abort(reason));
  const engine = transcribeEngine({ ...nothingSet, url: server.origin });
  await assert.rejects(run(engine, { audio_data: audioData }, { signal: controller.signal }), reason);
  const stopping = transcribeEngine({
    ...nothingSet,
    url: (await serverSaying(t, () => void stopping.stop?.())).origin,
  });
  assert.equal((await problemOf(run(stopping, { audio_data: audioData }))).code, "shutting_down");
});

test("faulty inputs are refused by name, and nobody is asked", async (t) => {
  const server = await serverSaying(t, json(200, whole));
  const engine = transcribeEngine({ ...nothingSet, url: server.origin });
  const cases: readonly (readonly [JsonObject, string])[] = [
    [{}, "audio_data"],
    [{ audio_data: 5 }, "audio_data"],
    [{ audio_data: "%%%" }, "audio_data"],
    [{ audio_data: Buffer.from("hello world").toString("base64") }, "audio_data"],
    [{ audio_data: "" }, "audio_data"],
    [{ audio_url: "file:///etc/passwd" }, "audio_url"],
    [{ audio_url: "/etc/passwd" }, "audio_url"],
    [{ audio_data: audioData, language: "--help" }, "language"],
    [{ audio_data: audioData, language: "en\r\nx: y" }, "language"],
    [{ audio_data: audioData, prompt: "x".repeat(1001) }, "prompt"],
    [{ audio_data: audioData, prompt: {} }, "prompt"],
  ];
  for (const [inputs, param] of cases) {
    const problem = await problemOf(run(engine, inputs));
    assert.deepEqual(
      [problem.code, problem.param],
      ["invalid_request", param],
      JSON.stringify(inputs).slice(0, 60),
    );
  }
  assert.equal(server.asked.length, 0);
});

suite("with a program", () => {
  let folder = "";
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "skillboss-whisper-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const engineOf = ({ program, model }: FakeProgram, more: Partial<TranscribeSettings> = {}) =>
    transcribeEngine({ ...nothingSet, program, model, ...more });

  const written = {
    result: { language: "de" },
    transcription: [
      { timestamps: {}, offsets: { from: 0, to: 600 }, text: " Guten Tag." },
      { timestamps: {}, offsets: { from: 600, to: 1200 }, text: " Auf Wiedersehen." },
    ],
  };
  const writes = `fs.writeFileSync(output, ${JSON.stringify(JSON.stringify(written))});`;

  test("the program gets the file, the model, the language and the hint, and nothing is left behind", async () => {
    const fake = await makeFakeProgram(folder, writes);
    const prompt = '-x "$(id)" `ls`';
    const inputs = { audio_data: audioData, language: "de-AT", prompt };
    const result = await run(engineOf(fake), inputs);
    assert.deepEqual(result.output, {
      text: "Guten Tag. Auf Wiedersehen.",
      language: "de",
      duration_seconds: 1.234,
      segments: [
        { start: 0, end: 0.6, text: "Guten Tag." },
        { start: 0.6, end: 1.2, text: "Auf Wiedersehen." },
      ],
    });
    assert.deepEqual(result.usage, { audio_seconds: 1.234 });
    const heard = await fake.heard();
    assert.deepEqual(heard.file, mp3);
    const [, , , file = ""] = heard.args;
    assert.ok(file.endsWith("/audio.mp3"));
    assert.deepEqual(heard.args, [
      ...["--model", fake.model, "--file", file, "--language", "de", "--prompt", prompt],
      ...["--output-json", "--output-file", `${file}.transcript`, "--no-prints"],
    ]);
    assert.ok(!existsSync(heard.folder));
    await run(engineOf(fake), { audio_data: audioData });
    assert.ok((await fake.heard()).args.join(" ").includes("--language auto --output-json"));
  });

  const path = "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin";
  const noFfmpeg = findProgram("ffmpeg", path) === undefined ? "skipped: no ffmpeg" : false;

  test(
    "with ffmpeg every format becomes the WAV that the program hears best",
    { skip: noFfmpeg },
    async () => {
      const fake = await makeFakeProgram(folder, writes);
      for (const name of [
        "whole.m4a",
        "pieces.m4a",
        "live.webm",
        "opus.ogg",
        "streamed.flac",
        "streamed.wav",
        "cbr.mp3",
      ]) {
        const inputs = { audio_data: sample(name).toString("base64") };
        const { usage } = await run(engineOf(fake, { searchPath: path }), inputs);
        const { file } = await fake.heard();
        assert.equal(file.toString("latin1", 0, 4), "RIFF");
        assert.deepEqual([file.readUInt16LE(22), file.readUInt32LE(24)], [1, 16_000]);
        assert.ok(Math.abs((file.length - 44) / 32_000 - 1.234) < 0.15, `${name} ${file.length}`);
        assert.ok(Math.abs((usage.audio_seconds ?? 0) - 1.234) < 0.15);
      }
    },
  );

  test("a damaged recording is the customer's to mend", { skip: noFfmpeg }, async () => {
    const fake = await makeFakeProgram(folder, writes);
    const damaged = Buffer.from(sample("whole.m4a"));
    damaged.fill(0, damaged.indexOf("stsd"), damaged.indexOf("stsd") + 100);
    const running = run(engineOf(fake, { searchPath: path }), { audio_data: damaged.toString("base64") });
    assert.equal((await problemOf(running)).status, 400);
  });

  test("without ffmpeg what the program cannot read is refused", async () => {
    const fake = await makeFakeProgram(folder, writes);
    const running = run(engineOf(fake), { audio_data: sample("whole.m4a").toString("base64") });
    assert.equal((await problemOf(running)).code, "invalid_request");
  });

  test("a program that fails, writes nonsense or nothing is our failure, and nothing is left behind", async () => {
    for (const script of [
      'process.stderr.write("secret path"); process.exit(1);',
      "",
      'fs.writeFileSync(output, "{");',
      'fs.writeFileSync(output, "{}");',
      `${writes} process.exit(3);`,
    ]) {
      const fake = await makeFakeProgram(folder, script);
      const problem = await problemOf(run(engineOf(fake), { audio_data: audioData }));
      assert.deepEqual(
        [problem.code, problem.message],
        ["run_failed", "The recording could not be transcribed."],
      );
      assert.ok(!existsSync((await fake.heard()).folder));
    }
  });

  test("a program that takes too long or is called off is killed, and nothing is left behind", async () => {
    const fake = await makeFakeProgram(folder, "setInterval(() => {}, 1000);");
    const slow = engineOf(fake, { timeoutMs: 1000 });
    assert.equal((await problemOf(run(slow, { audio_data: audioData }))).code, "upstream_timeout");
    const controller = new AbortController();
    const reason = new Problem("shutting_down");
    await fake.forget();
    const called = run(engineOf(fake), { audio_data: audioData }, { signal: controller.signal });
    await fake.begun();
    controller.abort(reason);
    await assert.rejects(called, reason);
    assert.ok(!existsSync((await fake.heard()).folder));
  });
});

test("what has to be set or installed is said, and a run is refused with it", async () => {
  const own = process.execPath;
  for (const [settings, wanted] of [
    [{}, /SKILLBOSS_WHISPER_URL.*SKILLBOSS_WHISPER /],
    [{ url: "localhost:8080" }, /SKILLBOSS_WHISPER_URL/],
    [{ url: "ftp://localhost" }, /SKILLBOSS_WHISPER_URL/],
    [{ program: "/nowhere/whisper-cli", model: own }, /SKILLBOSS_WHISPER names no program/],
    [{ program: own }, /SKILLBOSS_WHISPER_MODEL/],
    [{ program: own, model: "/nowhere/ggml.bin" }, /SKILLBOSS_WHISPER_MODEL/],
    [{ program: own, model: tmpdir() }, /SKILLBOSS_WHISPER_MODEL/],
  ] as const) {
    const engine = transcribeEngine({ ...nothingSet, ...settings });
    assert.match(engine.missing() ?? "", wanted);
    const problem = await problemOf(run(engine, { audio_data: audioData }));
    assert.equal(problem.code, "provider_not_configured");
  }
  assert.equal(transcribeEngine({ ...nothingSet, program: own, model: own }).missing(), undefined);
});
