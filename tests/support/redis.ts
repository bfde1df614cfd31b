import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export type RedisServer = {
  readonly url: string;
  /** Ends the server and removes its folder. */
  stop(): Promise<void>;
  /** Ends the server at once, as a crash would. */
  kill(): Promise<void>;
  /** Starts it again, empty, at the same address. */
  restart(): Promise<void>;
};

export type NoRedis = { readonly skipped: "no Redis binaries" };

/**
 * The Redis of `TEST_REDIS_URL`, else a private one from PATH that ends with this process, even when that crashes.
 * Tests that take the server away ask for a private one.
 */
export async function startRedis(
  wanted: { readonly isPrivate?: boolean } = {},
): Promise<RedisServer | NoRedis> {
  const given = process.env["TEST_REDIS_URL"];
  if (given !== undefined && given !== "" && wanted.isPrivate !== true) return serverAt(given);
  const binary = ["valkey-server", "redis-server"].find(
    (name) => spawnSync(name, ["--version"]).status === 0,
  );
  if (binary === undefined) return { skipped: "no Redis binaries" };
  const port = await freePort();
  let running = await launch(binary, port);
  return {
    url: `redis://127.0.0.1:${port}`,
    stop: () => running.end(),
    kill: () => running.end(),
    restart: async () => {
      await running.end();
      running = await launch(binary, port);
    },
  };
}

function serverAt(url: string): RedisServer {
  const refuse = async (): Promise<void> => {
    throw new Error("The Redis of TEST_REDIS_URL is not ours to end; ask for a private one.");
  };
  return { url, stop: async () => {}, kill: refuse, restart: refuse };
}

/**
 * The shell holds the server and waits at a pipe from this process. However this process ends, the pipe closes and
 * the server is killed with it.
 */
const keeper = `
folder=$1
shift
"$@" &
server=$!
cat > /dev/null
kill -9 $server
wait $server 2> /dev/null
rm -rf "$folder"
`;

type Running = { readonly end: () => Promise<void> };

async function launch(binary: string, port: number): Promise<Running> {
  const folder = await mkdtemp(join(tmpdir(), "skillboss-redis-"));
  const settings = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder];
  const command = [binary, ...settings, "--save", "", "--appendonly", "no"];
  const child = spawn("/bin/sh", ["-c", keeper, "redis-keeper", folder, ...command], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  const closed = once(child, "close");
  const end = async (): Promise<void> => {
    child.ref();
    child.stdin.end();
    await closed;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await readiness(child);
  } catch (error) {
    await end();
    throw error;
  }
  // A test that forgets to stop it must not hang; the pipe closes when the process ends.
  child.unref();
  for (const pipe of [child.stdin, child.stdout]) if (pipe instanceof Socket) pipe.unref();
  return { end };
}

async function readiness(child: ChildProcess & { readonly stdout: NodeJS.ReadableStream }): Promise<void> {
  const lines = createInterface({ input: child.stdout });
  const deadline = setTimeout(() => lines.close(), 10_000);
  try {
    for await (const line of lines) if (line.includes("Ready to accept connections")) return;
    throw new Error("Redis did not become ready");
  } finally {
    clearTimeout(deadline);
    child.stdout.resume();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}
