/** The programs of a benchmark, and which processor each runs on. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createServer } from "node:net";
import { availableParallelism } from "node:os";

export const running: ChildProcess[] = [];
/** With two cores or more the measured process has the last one to itself, as far as the machine allows. */
export const pinned = availableParallelism() > 1 ? ["taskset", "-c", String(availableParallelism() - 1)] : [];
export const beside = availableParallelism() > 1 ? ["taskset", "-c", "0"] : [];

export type Program = {
  readonly command: readonly string[];
  /** What it prints when it can be asked. */
  readonly ready: RegExp;
  readonly environment?: Readonly<Record<string, string>>;
  readonly folder?: string;
};

export async function start({ command, ready, environment, folder }: Program): Promise<ChildProcess> {
  const [program = "", ...args] = command;
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", "inherit"],
    cwd: folder,
    env: { ...process.env, ...environment },
  });
  running.push(child);
  await new Promise<void>((resolve, reject) => {
    let output = "";
    child.stdout.on("data", (bytes: Buffer) => {
      output += bytes.toString();
      if (ready.test(output)) resolve();
    });
    child.once("exit", (code) => reject(new Error(`${command.join(" ")} ended with ${code}: ${output}`)));
  });
  return child;
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

/** The database's server, which inherits it, would else take turns with the gateway whose cost is measured. */
export async function moveBeside(): Promise<void> {
  if (beside.length === 0) return;
  const child = spawn("taskset", ["-acp", "0", String(process.pid)], { stdio: "ignore" });
  await new Promise((resolve) => child.once("close", resolve));
}
