import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { findProgram } from "./find-program.ts";
import { ProgramFailure, runProgram } from "./run-program.ts";
import type { ProgramRun } from "./run-program.ts";

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "skillboss-program-"));
});
after(() => rm(folder, { recursive: true, force: true }));

function running(script: string, more: Partial<ProgramRun> = {}): ReturnType<typeof runProgram> {
  return runProgram({
    program: process.execPath,
    args: ["-e", script],
    signal: new AbortController().signal,
    timeoutMs: 60_000,
    maxOutputBytes: 1_000_000,
    searchPath: "/usr/bin:/bin",
    ...more,
  });
}

const isFailure = (kind: ProgramFailure["kind"]) => (error: unknown) =>
  error instanceof ProgramFailure && error.kind === kind;

test("a program gets its arguments and its input as they are, and its answer comes back whole", async () => {
  const odd = ["$(touch /tmp/x)", "a b", "'\"`\\", "--help", "", "é😀"];
  const input = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));
  const script =
    "process.stdin.pipe(process.stdout); process.stderr.write(JSON.stringify(process.argv.slice(1)))";
  const end = await running(script, { args: ["-e", script, "--", ...odd], input });
  assert.equal(end.exitCode, 0);
  assert.deepEqual(end.output, input);
  assert.deepEqual(JSON.parse(end.complaint), odd);
});

test("a program sees the search path and a locale, and nothing else of our environment", async () => {
  const { output } = await running("process.stdout.write(JSON.stringify(process.env))");
  const seen = JSON.parse(output.toString()) as Record<string, string>;
  assert.deepEqual(seen, { PATH: "/usr/bin:/bin", LANG: "C.UTF-8", LC_ALL: "C.UTF-8" });
});

test("how a program ended is told, and what it complained about is cut short", async () => {
  assert.equal((await running("process.exit(3)")).exitCode, 3);
  assert.equal(
    (await running("process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 999)")).exitCode,
    null,
  );
  const { complaint } = await running("process.stderr.write('x'.repeat(1e6))");
  assert.ok(complaint.length <= 4096 && complaint.startsWith("xxx"));
});

test("a program that does not listen to all of its input is no failure", async () => {
  const { exitCode } = await running("process.stdin.destroy(); process.exit(0)", {
    input: Buffer.alloc(5_000_000),
  });
  assert.equal(exitCode, 0);
});

test("what takes too long, says too much or is called off is killed at once and is gone", async () => {
  const file = join(folder, "pid");
  const shell = (then: string): Partial<ProgramRun> => ({
    program: "/bin/sh",
    args: ["-c", `trap '' TERM; echo $$ > ${file}.new; mv ${file}.new ${file}; ${then}`],
  });
  const isGone = async () => {
    const pid = Number(await readFile(file, "utf8"));
    assert.ok(pid > 1);
    assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
    await rm(file);
  };
  const controller = new AbortController();
  const reason = new Error("called off");
  const called = running("", { ...shell("exec sleep 1000"), signal: controller.signal });
  for (let tries = 0; tries < 2000 && !existsSync(file); tries++) await wait(10);
  controller.abort(reason);
  await assert.rejects(called, reason);
  await isGone();
  await assert.rejects(running("", shell("exec yes")), isFailure("too_large"));
  await isGone();
  await assert.rejects(running("", { ...shell("exec sleep 1000"), timeoutMs: 2000 }), isFailure("timeout"));
  await isGone();
  await assert.rejects(running("", { ...shell("true"), signal: AbortSignal.abort(reason) }), reason);
  assert.ok(!existsSync(file));
});

test("what a program started is killed with it, and keeps nobody waiting", async () => {
  const file = join(folder, "child");
  const args = ["-c", `sleep 60 & echo $! > ${file}; wait`];
  await assert.rejects(running("", { program: "/bin/sh", args, timeoutMs: 2000 }), isFailure("timeout"));
  const pid = Number(await readFile(file, "utf8"));
  assert.ok(pid > 1);
  for (let tries = 0; tries < 500 && isRunning(pid); tries++) await wait(10);
  assert.ok(!isRunning(pid));
});

/** A process that has ended may be kept as a zombie, for a parent that never asks. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ENOENT" && !existsSync("/proc/self");
  }
}

test("a program that is not there, or is none, is told apart", async () => {
  const text = join(folder, "text");
  await writeFile(text, "no program");
  await assert.rejects(running("", { program: join(folder, "nothing") }), isFailure("not_started"));
  await assert.rejects(running("", { program: text }), isFailure("not_started"));
});

test("programs are found by name along the path, or by their own path, when they can be run", async () => {
  const [first, second] = [join(folder, "first"), join(folder, "second")];
  for (const place of [first, second]) await mkdir(place);
  await writeFile(join(first, "tool"), "#!/bin/sh\n");
  await writeFile(join(second, "tool"), "#!/bin/sh\n");
  await mkdir(join(first, "other"));
  await chmod(join(second, "tool"), 0o755);
  const path = `${first}:${join(folder, "nowhere")}::${second}`;
  assert.equal(findProgram("tool", path), join(second, "tool"));
  assert.equal(findProgram("other", path), undefined);
  assert.equal(findProgram("tool", ""), undefined);
  assert.equal(findProgram(join(second, "tool"), ""), join(second, "tool"));
  assert.equal(findProgram(join(first, "tool"), path), undefined);
});
