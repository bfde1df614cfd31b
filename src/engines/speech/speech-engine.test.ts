import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { TestContext } from "node:test";
import type { JsonObject } from "../../core/json-object.ts";
import { Problem } from "../../core/problems.ts";
import type { Engine, EngineResult } from "../engine.ts";
import { audioLength } from "../../core/sound/audio-duration.ts";
import { findProgram } from "../find-program.ts";
import { speechEngine } from "./speech-engine.ts";
import { withTrueSizes } from "./wav-header.ts";

/** Where systems put what is installed. */
const searchPath = "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin";

function run(engine: Engine, inputs: JsonObject, signal?: AbortSignal): Promise<EngineResult> {
  return engine.run({
    inputs,
    signal: signal ?? new AbortController().signal,
    fetchFile: () => Promise.reject(new Error("nothing is to be fetched here")),
  });
}

async function refusalOf(running: Promise<EngineResult>): Promise<Problem> {
  try {
    await running;
  } catch (error) {
    assert.ok(error instanceof Problem, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: "the run was not refused" });
}

/** A WAV of 16-bit mono at 8 kHz; `declared` is what its header says of its samples. */
function wavOf(samples: number, declared = samples * 2): Buffer {
  const head = Buffer.alloc(44);
  head.write("RIFF", 0, "latin1");
  head.writeUInt32LE(declared >= 0x7fff_0000 ? 0x7fff_f024 : 36 + declared, 4);
  head.write("WAVEfmt ", 8, "latin1");
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(8000, 24);
  head.writeUInt32LE(16_000, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write("data", 36, "latin1");
  head.writeUInt32LE(declared, 40);
  return Buffer.concat([head, Buffer.alloc(samples * 2, 7)]);
}

test("a WAV that was written to a pipe gets true sizes, one that has them stays as it is", () => {
  const whole = wavOf(4000);
  for (const declared of [0x7fff_f000, 0xffff_ffff, 0, 9000])
    assert.deepEqual(withTrueSizes(wavOf(4000, declared)), whole, String(declared));
  assert.deepEqual(withTrueSizes(whole), whole);
  for (const none of [Buffer.alloc(0), Buffer.from("RIFF"), wavOf(0), Buffer.alloc(100, "x")])
    assert.equal(withTrueSizes(none), undefined);
});

suite("with a program that takes the place of espeak-ng", () => {
  let folder = "";
  let speakers = 0;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "skillboss-speech-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** `script` sees the arguments as `args` and the text as `text`. */
  async function engineWith(script: string): Promise<Engine> {
    const program = join(folder, `speaker-${++speakers}`);
    const head = `#!${process.execPath}\nconst args = process.argv.slice(2);`;
    await writeFile(program, `${head}\nconst text = require("fs").readFileSync(0, "utf8");\n${script}\n`);
    await chmod(program, 0o755);
    return speechEngine({ program, searchPath: folder });
  }

  test("the text goes in as input, the wishes as arguments, and the sound comes back with a true header", async () => {
    await writeFile(join(folder, "sound.wav"), wavOf(4000, 0x7fff_f000));
    const engine = await engineWith(`
      require("fs").writeFileSync(${JSON.stringify(join(folder, "heard.json"))}, JSON.stringify({ args, text }));
      process.stdout.write(require("fs").readFileSync(${JSON.stringify(join(folder, "sound.wav"))}));`);
    const text = 'Say: "$(id)" `ls` --help\n-v [[x]] é 😀';
    const result = await run(engine, { text, voice_id: "F3", language: "pt_BR", speed: 2, pitch: 70 });
    assert.deepEqual(result.files, [{ bytes: wavOf(4000), contentType: "audio/wav", name: "speech.wav" }]);
    const audio = { url: { $file: 0 }, content_type: "audio/wav", duration_seconds: 0.5 };
    assert.deepEqual(result.output, { audio });
    assert.deepEqual(result.usage, { chars: Array.from(text).length });
    const heard: unknown = JSON.parse(spawnSync("cat", [join(folder, "heard.json")]).stdout.toString());
    const args = ["--stdin", "--stdout", "-b", "1", "-v", "pt-br+f3", "-s", "350", "-p", "70"];
    assert.deepEqual(heard, { args, text: text.replace("[[", "[ [") });
  });

  test("silence is no speech and costs nothing", async () => {
    const { output, files, isEmpty } = await run(await engineWith(""), { text: "." });
    assert.deepEqual([output, files, isEmpty], [{ audio: null }, [], true]);
  });

  test("a program that fails is our failure, and what it said is not shown", async () => {
    const engine = await engineWith('process.stderr.write("secret path"); process.exit(1);');
    const problem = await refusalOf(run(engine, { text: "x" }));
    assert.deepEqual([problem.code, problem.message], ["run_failed", "The text could not be spoken."]);
  });

  test("a run that is called off, and a server that stops, kill the program", async () => {
    const engine = await engineWith("setInterval(() => {}, 1000);");
    const controller = new AbortController();
    const reason = new Problem("upstream_timeout");
    const called = run(engine, { text: "x" }, controller.signal);
    controller.abort(reason);
    await assert.rejects(called, reason);
    const open = run(engine, { text: "x" });
    await engine.stop?.();
    assert.equal((await refusalOf(open)).code, "shutting_down");
  });

  test("where no program can convert, other formats than WAV are refused by name", async () => {
    const problem = await refusalOf(run(await engineWith(""), { text: "x", format: "mp3" }));
    assert.deepEqual([problem.code, problem.param], ["invalid_request", "format"]);
  });

  test("faulty inputs are refused, naming the one", async () => {
    const engine = await engineWith("process.exit(1);");
    const cases: readonly (readonly [JsonObject, string])[] = [
      [{}, "text"],
      [{ text: " \n\u200b" }, "text"],
      [{ text: 5 }, "text"],
      [{ text: "x".repeat(5001) }, "text"],
      [{ text: "x", voice: "--help" }, "voice"],
      [{ text: "x", voice: "../../etc/passwd" }, "voice"],
      [{ text: "x", voice: "/etc/passwd" }, "voice"],
      [{ text: "x", voice_id: "a\0b" }, "voice_id"],
      [{ text: "x", language: "-v" }, "language"],
      [{ text: "x", speed: 0.2 }, "speed"],
      [{ text: "x", speed: 4.1 }, "speed"],
      [{ text: "x", pitch: 100 }, "pitch"],
      [{ text: "x", format: "opus" }, "format"],
    ];
    for (const [inputs, param] of cases) {
      const problem = await refusalOf(run(engine, inputs));
      assert.deepEqual(
        [problem.code, problem.param],
        ["invalid_request", param],
        JSON.stringify(inputs).slice(0, 60),
      );
    }
  });
});

test("without the program the engine says what to install", async () => {
  const nowhere = speechEngine({ program: undefined, searchPath: "" });
  assert.match(nowhere.missing() ?? "", /apt-get install espeak-ng/);
  assert.equal((await refusalOf(run(nowhere, { text: "x" }))).code, "provider_not_configured");
  assert.match(speechEngine({ program: "/nowhere/espeak", searchPath }).missing() ?? "", /SKILLBOSS_ESPEAK/);
});

const skipped = findProgram("espeak-ng", searchPath) === undefined ? "skipped: no espeak-ng" : undefined;

suite("with espeak-ng", { skip: skipped ?? false }, () => {
  const engine = speechEngine({ program: undefined, searchPath });
  const sentence = "The quick brown fox jumps over the lazy dog.";

  /** It reads the header and the samples to their end, and measures the same length. */
  function assertSoxReads(bytes: Buffer, seconds: number, t: TestContext): void {
    const sox = findProgram("sox", searchPath);
    if (sox === undefined) {
      t.diagnostic("not checked by sox, which is not there");
      return;
    }
    const { status, stderr } = spawnSync(sox, ["-V1", "-t", "wav", "-", "-n", "stat"], { input: bytes });
    assert.equal(status, 0, stderr.toString());
    const length = /^Length \(seconds\):\s+([\d.]+)$/m.exec(stderr.toString())?.[1];
    assert.ok(Math.abs(Number(length) - seconds) < 0.001, `${length} ${seconds}`);
    assert.match(stderr.toString(), /^Maximum amplitude:\s+0\.[1-9]/m);
  }

  async function spoken(inputs: JsonObject): Promise<{ readonly bytes: Buffer; readonly seconds: number }> {
    const { output, files, usage } = await run(engine, inputs);
    const [file] = files;
    assert.ok(file !== undefined);
    assert.deepEqual(usage, { chars: Array.from(String(inputs["text"])).length });
    const { audio } = output as { audio: { content_type: string; duration_seconds: number } };
    assert.equal(audio.content_type, file.contentType);
    return { bytes: file.bytes, seconds: audio.duration_seconds };
  }

  test("a sentence becomes a sound WAV whose header is true", async (t) => {
    const { bytes, seconds } = await spoken({ text: sentence });
    assert.ok(seconds > 1.5 && seconds < 5, String(seconds));
    assert.equal(bytes.readUInt32LE(4), bytes.length - 8);
    assert.equal(bytes.readUInt32LE(40), bytes.length - 44);
    assert.deepEqual(audioLength(bytes), { format: "wav", seconds });
    const loudest = Math.max(
      ...Array.from({ length: 20_000 }, (_, index) => bytes.readInt16LE(44 + index * 2)),
    );
    assert.ok(loudest > 1000, "there is only silence in it");
    assertSoxReads(bytes, seconds, t);
  });

  test("speed, pitch, voice and language change the sound", async () => {
    const usual = await spoken({ text: sentence });
    const fast = await spoken({ text: sentence, speed: 2 });
    const slow = await spoken({ text: sentence, speed: 0.5 });
    assert.ok(fast.seconds < usual.seconds * 0.75 && slow.seconds > usual.seconds * 1.5);
    const others = [
      { pitch: 90 },
      { language: "de" },
      { voice: "en-us" },
      { voice: "f3" },
      { voice: "en+m7" },
    ];
    for (const other of others)
      assert.ok(
        !(await spoken({ text: sentence, ...other })).bytes.equals(usual.bytes),
        JSON.stringify(other),
      );
  });

  test("a voice that is not installed is refused by name, with those like it", async () => {
    for (const [inputs, param, near] of [
      [{ voice: "klingon-tlh" }, "voice", /piqd/],
      [{ voice: "alloy" }, "voice", /known are en, /],
      [{ voice_id: "nova" }, "voice_id", /known are en, /],
      [{ voice: "engl" }, "voice", /en-gb.*en-us/],
      [{ voice: "en+f33" }, "voice", /f3/],
      [{ voice: "en+norber" }, "voice", /norbert/],
      [{ language: "xx-yy" }, "language", /en-us/],
    ] as const) {
      const problem = await refusalOf(run(engine, { text: sentence, ...inputs }));
      assert.deepEqual([problem.code, problem.param], ["invalid_request", param], JSON.stringify(inputs));
      assert.match(problem.message, near);
    }
  });

  test("a voice is found whatever its case, its country, or which of its names it goes by", async () => {
    const bytesOf = async (inputs: JsonObject) => (await spoken({ text: sentence, ...inputs })).bytes;
    const german = await bytesOf({ voice: "de" });
    for (const same of [{ voice: "DE-at" }, { voice: "German" }, { voice: "gmw/de" }, { language: "de_CH" }])
      assert.ok((await bytesOf(same)).equals(german), JSON.stringify(same));
    const variant = await bytesOf({ voice: "de+Gene" });
    assert.ok(!variant.equals(german));
    assert.ok((await bytesOf({ voice: "gene", language: "de" })).equals(variant));
  });

  test("text of any language and any characters is spoken", async () => {
    for (const text of [
      "Grüße aus München",
      "Привет, мир",
      "你好世界",
      "<speak>&amp;</speak>",
      "\0x\u001b",
      "😀 ok",
    ])
      assert.ok((await spoken({ text })).seconds > 0.1, text);
  });

  const converter = ["ffmpeg", "sox"].some((name) => findProgram(name, searchPath) !== undefined);

  test(
    "other formats hold the same speech",
    { skip: converter ? false : "skipped: no ffmpeg and no sox" },
    async () => {
      for (const [format, found] of [
        ["mp3", "mp3"],
        ["ogg", "ogg"],
        ["flac", "flac"],
      ] as const) {
        const { bytes, seconds } = await spoken({ text: sentence, format });
        const length = audioLength(bytes);
        assert.equal(length?.format, found);
        assert.ok(
          Math.abs((length?.seconds ?? 0) - seconds) < 0.15,
          `${format} ${JSON.stringify(length)} ${seconds}`,
        );
      }
    },
  );
});
