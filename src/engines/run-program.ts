import { spawn } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";

export type ProgramRun = {
  /** The full path: nothing is searched for. */
  readonly program: string;
  /** As they are: no shell reads them. */
  readonly args: readonly string[];
  readonly input?: Buffer;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** Of its output; it is stopped when there is more. */
  readonly maxOutputBytes: number;
  /** All that it sees of our environment besides this is a UTF-8 locale: keys and passwords of ours are none of its. */
  readonly searchPath: string;
};

export type ProgramEnd = {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly output: Buffer;
  /** The first part of what it said besides: for logs. */
  readonly complaint: string;
};

/** `not_started`: there is no such program, or it cannot be run. */
export class ProgramFailure extends Error {
  readonly kind: "not_started" | "timeout" | "too_large";

  constructor(kind: ProgramFailure["kind"], detail: string) {
    super(`${kind}: ${detail}`);
    this.name = "ProgramFailure";
    this.kind = kind;
  }
}

const maxComplaintBytes = 4096;

/**
 * Runs a program to its end. It is killed when time is up, when it says too much, or when the signal is aborted; then
 * this throws a `ProgramFailure`, or the signal's reason. It is gone afterwards, with all that it started.
 */
export async function runProgram(run: ProgramRun): Promise<ProgramEnd> {
  run.signal.throwIfAborted();
  const child = spawn(run.program, run.args, {
    env: { PATH: run.searchPath, LANG: "C.UTF-8", LC_ALL: "C.UTF-8" },
    stdio: "pipe",
    // A group of its own, which can be killed as a whole: the program may be a script that runs another.
    detached: true,
  });
  const output = collect(child, run.maxOutputBytes);
  const stop = stopper(child);
  const timer = setTimeout(() => stop(new ProgramFailure("timeout", run.program)), run.timeoutMs);
  const onAbort = () => stop(run.signal.reason);
  run.signal.addEventListener("abort", onAbort, { once: true });
  output.onTooMuch(() => stop(new ProgramFailure("too_large", run.program)));
  // A program that does not want to hear all of it closes its end: that is no failure of ours.
  child.stdin.on("error", () => undefined);
  child.stdin.end(run.input ?? "");
  try {
    const exitCode = await stop.ended;
    return { exitCode, output: Buffer.concat(output.pieces), complaint: output.complaint() };
  } finally {
    clearTimeout(timer);
    run.signal.removeEventListener("abort", onAbort);
  }
}

function collect(child: ChildProcessWithoutNullStreams, maxBytes: number) {
  const pieces: Buffer[] = [];
  const complaints: Buffer[] = [];
  let size = 0;
  let complaintSize = 0;
  let tellTooMuch = (): void => undefined;
  child.stdout.on("data", (piece: Buffer) => {
    size += piece.length;
    if (size > maxBytes) tellTooMuch();
    else pieces.push(piece);
  });
  child.stderr.on("data", (piece: Buffer) => {
    if (complaintSize < maxComplaintBytes) complaints.push(piece);
    complaintSize += piece.length;
  });
  return {
    pieces,
    complaint: () => Buffer.concat(complaints).toString("utf8").slice(0, maxComplaintBytes).trim(),
    onTooMuch(tell: () => void) {
      tellTooMuch = tell;
    },
  };
}

/** Kills the program and says why, once; `ended` brings its exit code, or throws that reason when it is gone. */
function stopper(child: ChildProcessWithoutNullStreams) {
  let reason: { readonly error: unknown } | undefined;
  const ended = new Promise<number | null>((resolve, reject) => {
    const finish = (exitCode: number | null) => {
      if (reason === undefined) resolve(exitCode);
      else reject(reason.error as Error);
    };
    child.on("close", finish);
    // What a killed program started may hold its output open for a moment: that is not waited for.
    child.on("exit", (exitCode) => {
      if (reason !== undefined) finish(exitCode);
    });
    child.on("error", (error) => {
      if (child.pid !== undefined) return;
      reason ??= { error: new ProgramFailure("not_started", error.message) };
      finish(null);
    });
  });
  const stop = (error: unknown): void => {
    if (reason !== undefined) return;
    reason = { error };
    killGroup(child);
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
  };
  return Object.assign(stop, { ended });
}

function killGroup({ pid }: ChildProcessWithoutNullStreams): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // It is gone already.
  }
}
