import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { gatewayApi } from "./gateway-api.ts";
import type { Gateway } from "./gateway.ts";
import { prepare, startWithinMs, stopWithinMs } from "./gateway-settings.ts";
import type { GatewayOptions } from "./gateway-settings.ts";

export type GatewayProcess = Gateway & {
  readonly process: ChildProcess;
  kill9(): Promise<void>;
};

/** A gateway in a process of its own, as an operator would run it. */
export async function startGatewayProcess(options: GatewayOptions = {}): Promise<GatewayProcess> {
  const prepared = await prepare(options);
  const child = spawn(process.execPath, ["src/main.ts", "serve", "--quiet"], {
    cwd: join(import.meta.dirname, "..", ".."),
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...prepared.environment, NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] },
  });
  let log = "";
  child.stderr.on("data", (bytes: Buffer) => (log += bytes.toString()));
  const killWithUs = () => child.kill("SIGKILL");
  process.on("exit", killWithUs);
  child.once("exit", () => process.off("exit", killWithUs));
  const ended = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
  const url = await listening(child, () => log);
  return {
    ...gatewayApi(url, prepared.token()),
    directory: prepared.directory,
    process: child,
    log: () => log,
    async kill9() {
      child.kill("SIGKILL");
      await ended;
    },
    async stop() {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), stopWithinMs);
      const code = await ended;
      clearTimeout(timer);
      await prepared.clearAway();
      return code;
    },
    abandon: () => void child.kill("SIGKILL"),
  };
}

function listening(child: ChildProcess, log: () => string): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = "";
    const timer = setTimeout(
      () => reject(new Error(`the gateway did not start:\n${output}\n${log()}`)),
      startWithinMs,
    );
    child.stdout?.on("data", (bytes: Buffer) => {
      output += bytes.toString();
      const url = /listens on (http:\S+)/.exec(output)?.[1];
      if (url === undefined) return;
      clearTimeout(timer);
      resolve(url);
    });
    child.once("exit", (code) => {
      clearTimeout(timer);
      reject(new Error(`the gateway ended with ${code}:\n${output}\n${log()}`));
    });
  });
}
