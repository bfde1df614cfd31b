import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { join } from "node:path";

/** Our program as people start it: `node bin/skillboss.cjs …`, with nothing of the test's environment but the path. */
const root = join(import.meta.dirname, "..", "..");
const entry = join(root, "bin", "skillboss.cjs");

export type Environment = Readonly<Record<string, string>>;

export type Ended = { readonly code: number | null; readonly output: string; readonly errors: string };

export type Program = {
  readonly process: ChildProcess;
  /** All of standard output so far. */
  output(): string;
  errors(): string;
  /** Resolves when standard output matches; rejects when the program ends before, or takes too long. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  readonly ended: Promise<Ended>;
  /** SIGTERM; resolves when it has ended. */
  stop(): Promise<Ended>;
};

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

const sayWithinMs = 60_000;

/** Starts `skillboss …`. It is killed when the test process ends. */
export function startProgram(words: readonly string[], environment: Environment): Program {
  const child = spawn(process.execPath, [entry, ...words], {
    cwd: root,
    stdio: ["pipe", "pipe", "pipe"],
    env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", ...environment },
  });
  let output = "";
  let errors = "";
  child.stdout.on("data", (bytes: Buffer) => (output += bytes.toString()));
  child.stderr.on("data", (bytes: Buffer) => (errors += bytes.toString()));
  child.stdin.end();
  running.add(child);
  const ended = new Promise<Ended>((resolve) =>
    child.once("close", (code) => {
      running.delete(child);
      resolve({ code, output, errors });
    }),
  );
  return {
    process: child,
    output: () => output,
    errors: () => errors,
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const fail = () => reject(new Error(`it did not say ${pattern}:\n${output}\n${errors}`));
        const timer = setTimeout(fail, sayWithinMs);
        const look = () => {
          const found = pattern.exec(output);
          if (found === null) return;
          clearTimeout(timer);
          resolve(found);
        };
        child.stdout.on("data", look);
        void ended.then(fail);
        look();
      }),
    ended,
    stop() {
      child.kill("SIGTERM");
      return ended;
    },
  };
}

/** Runs `skillboss …` to its end. */
export function runProgram(words: readonly string[], environment: Environment): Promise<Ended> {
  return startProgram(words, environment).ended;
}

/** Runs a command line as a person would paste it. */
export function runShell(line: string, environment: Environment = {}): Promise<Ended> {
  const child = spawn("sh", ["-c", line], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: sayWithinMs,
    env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", ...environment },
  });
  let output = "";
  let errors = "";
  child.stdout.on("data", (bytes: Buffer) => (output += bytes.toString()));
  child.stderr.on("data", (bytes: Buffer) => (errors += bytes.toString()));
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, output, errors })));
}
