import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startFakeApi } from "../client/fake-api.ts";
import type { FakeApi, FakeReplies, FakeReply } from "../client/fake-api.ts";
import { isJsonObject } from "../core/json-object.ts";
import { run } from "./cli-runner.test-support.ts";
import type { Ran } from "./cli-runner.test-support.ts";
import { sampleModel, sampleReplies } from "./sample-answers.test-support.ts";

const folder = mkdtempSync(join(tmpdir(), "cli-run-"));
let api: FakeApi;
/** What the run that is asked for comes to. */
let result: Readonly<Record<string, unknown>> = {};

before(async () => {
  const job = { id: "run_1", job_id: "run_1", model: "m", created_at: "", completed_at: null };
  api = await startFakeApi({
    "POST /v1/run": { body: { ...job, status: "queued" } },
    "GET /v1/job/run_1": () => ({ body: { ...job, status: "completed", result } }),
    "GET /one.png": { body: "first" },
    "GET /two.png": { body: "second" },
  });
});
after(async () => {
  await api.close();
  rmSync(folder, { recursive: true });
});

function resultOf(members: Readonly<Record<string, unknown>>): void {
  result = { id: "run_1", model: "m", status: "completed", _remaining_credits: 1, ...members };
}

const file = (name: string): string => `${api.url}/${name}`;

function ran(...words: readonly string[]): Promise<Ran> {
  return run(["run", "m", "prompt=hi", ...words], { environment: { url: api.url, apiKey: "sk-x" } });
}

test("A file's result is saved where it is wanted.", async () => {
  resultOf({ image_url: file("one.png") });
  const path = join(folder, "saved.png");
  const { exitCode, output } = await ran("-o", path);
  assert.equal(exitCode, 0);
  assert.equal(output, `Saved ${path}\n`);
  assert.equal(readFileSync(path, "utf8"), "first");
});

test("A path that nothing can be saved as is refused before the run is sent and paid for.", async () => {
  const asked = api.asked.length;
  writeFileSync(join(folder, "file"), "");
  mkdirSync(join(folder, "deep"));
  const cases = [
    [join(folder, "none", "x.png"), /there is no folder .*none/],
    [join(folder, "file", "x.png"), /there is no folder|is no folder/],
    [join(folder, "deep"), /it is a folder/],
  ] as const;
  for (const [path, says] of cases) {
    const { exitCode, errors, output } = await ran("-o", path);
    assert.equal(exitCode, 2, path);
    assert.match(errors, says);
    assert.equal(output, "");
  }
  assert.equal(api.asked.length, asked);
});

test("A result whose file cannot be saved after all is not lost: its address and its run are told.", async () => {
  resultOf({ image_url: file("gone.png") });
  const path = join(folder, "gone.png");
  for (const form of [[], ["--json"]]) {
    const { exitCode, errors, output } = await ran("-o", path, ...form);
    assert.equal(exitCode, 1);
    assert.ok(errors.includes("run_1") && errors.includes(path), errors);
    assert.ok(errors.includes(file("gone.png")) && output.includes(file("gone.png")));
  }
  assert.equal(existsSync(path), false);
});

test("Of several results each has its address printed, and each is saved under its number.", async () => {
  const urls = [file("one.png"), file("two.png")];
  const forms = [
    { image_url: urls[0], generated_images: urls, images: urls.map((url) => ({ url })) },
    { video_url: urls[0], videos: urls.map((url) => ({ url })) },
    { audio_url: urls[0], audio: urls },
  ];
  for (const members of forms) {
    resultOf(members);
    assert.equal((await ran()).output, `${urls.join("\n")}\n`);
    const { output } = await ran("-o", join(folder, "two.png"));
    const [first, second] = [join(folder, "two-1.png"), join(folder, "two-2.png")];
    assert.equal(output, `Saved ${first}\nSaved ${second}\n`);
    assert.deepEqual([readFileSync(first, "utf8"), readFileSync(second, "utf8")], ["first", "second"]);
    assert.equal(existsSync(join(folder, "two.png")), false);
  }
  resultOf({ image_url: urls[0], generated_images: [urls[0]] });
  assert.equal((await ran()).output, `${urls[0]}\n`);
});

const noFullDisk = existsSync("/dev/full") ? false : "this system has no /dev/full";

test("A disk that is full costs nobody a result.", { skip: noFullDisk }, async () => {
  resultOf({ image_url: file("one.png") });
  const { exitCode, errors } = await ran("-o", "/dev/full");
  assert.equal(exitCode, 1);
  assert.match(errors, /run_1[^]*ENOSPC/);
  assert.ok(errors.includes(file("one.png")));
});

test("A result that nobody could read, since the output is full, is named with the command that shows it.", async () => {
  resultOf({ text: "Hello." });
  const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
  const { exitCode, errors } = await run(["run", "m", "prompt=hi"], {
    environment: { url: api.url, apiKey: "sk-x" },
    onOutput: (_text, stream) => stream.destroy(full),
  });
  assert.equal(exitCode, 1);
  assert.match(errors, /ENOSPC[^]*run_1 is done: skillboss jobs show run_1/);
});

test("A result goes to a file or a pipe as it is; a terminal does not obey it, in JSON neither.", async () => {
  const environment = { url: api.url, apiKey: "sk-x" };
  const foreign = "one\r\ntwo\f\u009b2J\n";
  const told = "one\u{fffd}\ntwo\u{fffd}\u{fffd}2J\n";
  for (const [members, piped, shown] of [
    [{ markdown: foreign }, `${foreign}\n`, `${told}\n`],
    [{ title: "\u009b2J" }, '{\n  "title": "\u009b2J"\n}\n', '{\n  "title": "\u{fffd}2J"\n}\n'],
  ] as const) {
    resultOf(members);
    assert.equal((await ran()).output, piped);
    const words = ["run", "m", "prompt=hi"];
    assert.equal((await run(words, { environment, isTerminal: true })).output, shown);
  }
});

test("A terminal obeys neither what is told of letters nor what JSON passes on.", async () => {
  const results = [{ email: "ada@example.com", status: "failed", error: "\u009b2Jno\r" }];
  const error = { code: "invalid_request", param: "async", message: "async: letters do not run as jobs." };
  const mail = await startFakeApi({
    ...sampleReplies,
    "POST /v1/run": ({ body }) =>
      JSON.stringify(body).includes('"async":true')
        ? { status: 400, body: { error } }
        : { body: { success: false, results } },
    "GET /v1/models/mailer": { body: { ...sampleModel, id: "mailer", type: "email" } },
  });
  const environment = { url: mail.url, apiKey: "sk-x" };
  const letters = ["run", "mailer", "subject=Hi"];
  const shown = await run(letters, { environment, isTerminal: true });
  const json = await run([...letters, "--json"], { environment, isTerminal: true });
  const piped = await run(letters, { environment });
  await mail.close();
  assert.equal(shown.output, "ada@example.com failed: \u{fffd}2Jno\u{fffd}\n");
  assert.match(json.output, /"error": "\u{fffd}2Jno\\r"/u);
  assert.equal(piped.output, "ada@example.com failed: \u009b2Jno\r\n");
});

test("A run that failed names the input that is at fault.", async () => {
  const [error, error_param] = ["This address may not be fetched.", "document_url"];
  const failed = { job_id: "run_9", status: "failed", error, error_param };
  const { exitCode, errors } = await ranAgainst({ "GET /v1/job/run_9": { body: failed } });
  assert.equal(exitCode, 1);
  assert.equal(errors, "skillboss: This address may not be fetched. (at document_url, run_9)\n");
});

test("A result that is no file is shown although a file was wanted.", async () => {
  resultOf({ text: "Hello." });
  const { exitCode, errors, output } = await ran("-o", join(folder, "text.png"));
  assert.equal(exitCode, 2);
  assert.match(errors, /no file to save.*run_1/);
  assert.equal(output, "Hello.\n");
});

/** A run that is under way: the first look at it is answered, the second as told. */
async function ranAgainst(replies: FakeReplies, ...more: readonly string[]): Promise<Ran> {
  const job = {
    id: "run_9",
    job_id: "run_9",
    model: "m",
    status: "running",
    created_at: "",
    completed_at: null,
  };
  let looks = 0;
  const later = replies["GET /v1/job/run_9"] ?? { body: job };
  const server = await startFakeApi({
    "POST /v1/run": { status: 202, body: { job_id: "run_9", status: "accepted" } },
    ...replies,
    "GET /v1/job/run_9": (asked) => {
      looks += 1;
      if (looks === 1) return { body: job };
      return typeof later === "function" ? later(asked) : later;
    },
  });
  const environment = { url: server.url, apiKey: "sk-x" };
  const seen = await run(["run", "m", "prompt=hi", ...more], { environment });
  await server.close();
  return seen;
}

const waits = { timeout: 10_000 };

test(
  "Whoever stops waiting for a run, by Ctrl-C, is told its id, that it goes on and how to call it off.",
  waits,
  async () => {
    const pressed = (): FakeReply => {
      process.emit("SIGINT");
      return { pieces: ["{"], finish: "hang" };
    };
    const before = process.listenerCount("SIGINT");
    const plain = await ranAgainst({ "GET /v1/job/run_9": pressed });
    assert.equal(plain.exitCode, 130);
    assert.equal(plain.output, "");
    assert.match(
      plain.errors,
      /^skillboss: The run run_9 goes on: skillboss jobs show run_9\n.*jobs cancel run_9\n$/,
    );
    const json = await ranAgainst({ "GET /v1/job/run_9": pressed }, "--json");
    assert.equal(json.exitCode, 130);
    assert.equal(JSON.parse(json.errors).error.run_id, "run_9");
    assert.equal(process.listenerCount("SIGINT"), before);
  },
);

test("A run whose server goes away while it is waited for is named.", waits, async () => {
  const gone = { "GET /v1/job/run_9": { pieces: ["{"], finish: "cut" } } as const;
  const plain = await ranAgainst(gone);
  assert.equal(plain.exitCode, 1);
  assert.match(plain.errors, /broke off[^]*run_9 goes on: skillboss jobs show run_9/);
  const { error } = JSON.parse((await ranAgainst(gone, "--json")).errors);
  assert.deepEqual([error.code, error.run_id], ["answer_broken", "run_9"]);
});

test("That a run may have been begun is said where its first answer is lost, and not where it was refused or never sent.", async () => {
  const unknown = /Whether the run was begun is not known: skillboss jobs list/;
  const lost = await ranAgainst({ "POST /v1/run": { status: 504, body: "<html>" } });
  assert.match(lost.errors, unknown);
  const error = { message: "No provider.", code: "provider_not_configured" };
  const refused = await ranAgainst({ "POST /v1/run": { status: 503, body: { error } } });
  assert.doesNotMatch(refused.errors, unknown);
  const environment = { url: "http://127.0.0.1:1", apiKey: "sk-x" };
  const unsent = await run(["run", "m", "prompt=hi"], { environment });
  assert.equal(unsent.exitCode, 3);
  assert.doesNotMatch(unsent.errors, unknown);
});

test("A file goes in the form that the input has: a data URL where addresses go, base64 where its name says so.", async () => {
  resultOf({ text: "ok" });
  for (const name of ["talk.mp3", "page.PDF", "odd"]) writeFileSync(join(folder, name), name);
  const sent = async (...words: readonly string[]) => {
    assert.equal((await ran(...words)).exitCode, 0);
    const { body } = api.asked.findLast(({ path }) => path === "/v1/run") ?? assert.fail();
    return isJsonObject(body) ? body["inputs"] : undefined;
  };
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const files = [
    "--file",
    `document_url=${join(folder, "page.PDF")}`,
    "--file",
    `image=${join(folder, "odd")}`,
  ];
  assert.deepEqual(await sent(...files), {
    prompt: "hi",
    document_url: `data:application/pdf;base64,${base64("page.PDF")}`,
    image: `data:application/octet-stream;base64,${base64("odd")}`,
  });
  const talk = ["--file", `audio_data=${join(folder, "talk.mp3")}`];
  const named = { prompt: "hi", audio_data: base64("talk.mp3"), filename: "talk.mp3" };
  assert.deepEqual(await sent(...talk), named);
  assert.deepEqual(await sent(...talk, "filename=other.mp3"), { ...named, filename: "other.mp3" });
});

test("A file that is not there is wrong use, and nothing is sent.", async () => {
  const asked = api.asked.length;
  const { exitCode, errors } = await ran("--file", `image_url=${join(folder, "missing.png")}`);
  assert.equal(exitCode, 2);
  assert.match(errors, /cannot be read: ENOENT.*missing\.png.* Nothing was sent/);
  assert.equal(api.asked.length, asked);
});

test("A chat model that is run is refused with the command that asks it, and not with a word nobody wrote.", async () => {
  const error = {
    message: "async: chat models do not run as jobs.",
    code: "invalid_request",
    param: "async",
  };
  const chats = await startFakeApi({
    ...sampleReplies,
    "POST /v1/run": { status: 400, body: { error } },
    "GET /v1/models/mailer": { body: { ...sampleModel, id: "mailer", type: "email" } },
  });
  const environment = { url: chats.url, apiKey: "sk-x" };
  const chat = await run(["run", "gpt-4o-mini", "prompt=hi"], { environment });
  const other = await run(["run", "mailer", "prompt=hi"], { environment });
  await chats.close();
  assert.equal(chat.exitCode, 2);
  assert.match(
    chat.errors,
    /^skillboss: gpt-4o-mini is a chat model: skillboss chat --model gpt-4o-mini "…"\n/,
  );
  assert.doesNotMatch(chat.errors, /async/);
  assert.equal(other.exitCode, 1);
});

test("A letter to receivers with variables is sent, although it is no job; what it cannot be is told as it was written.", async () => {
  const refusal = (param: string) => ({
    status: 400,
    body: { error: { code: "invalid_request", param, message: `${param}: letters do not run as jobs.` } },
  });
  const results = [
    { email: "ada@example.com", status: "sent", run_id: "run_1" },
    { email: "bob@example.com", status: "failed", error: "The provider failed." },
  ];
  let success = true;
  const mail = await startFakeApi({
    "POST /v1/run": ({ body }) => {
      const { async: isAsync, webhook } = body as { async?: boolean; webhook?: string };
      if (isAsync === true) return refusal("async");
      return webhook === undefined ? { body: { success, results } } : refusal("webhook");
    },
    "GET /v1/models/aws/send-emails": { body: { ...sampleModel, id: "aws/send-emails", type: "email" } },
  });
  const environment = { url: mail.url, apiKey: "sk-x" };
  const letter = (...more: readonly string[]) =>
    run(["run", "aws/send-emails", "title=Hi {{name}}", ...more], { environment });
  const sent = await letter();
  success = false;
  const [failed, waited, told] = [
    await letter(),
    await letter("--async"),
    await letter("--webhook", "https://a.b"),
  ];
  await mail.close();
  assert.equal(sent.output, "ada@example.com sent\nbob@example.com failed: The provider failed.\n");
  assert.deepEqual([sent.exitCode, failed.exitCode, waited.exitCode, told.exitCode], [0, 1, 1, 1]);
  assert.match(waited.errors, /async: letters/);
  assert.match(told.errors, /webhook: letters/);
});
