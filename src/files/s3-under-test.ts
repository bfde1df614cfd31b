import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { S3Settings } from "./s3-file-store.ts";
import { silentLog } from "../core/log.ts";

/** An S3 of another maker on a free loopback port, with one bucket. */
export type TestS3 = { readonly settings: S3Settings; readonly stop: () => Promise<void> };

type S3rver = { configureBuckets(): Promise<unknown>; callback(): Parameters<Server["on"]>[1] };
type S3rverClass = new (options: Readonly<Record<string, unknown>>) => S3rver & {
  listen(port: number, address: string): Promise<Server>;
};

const bucket = "files";

export async function startS3(): Promise<TestS3> {
  const directory = mkdtempSync(join(tmpdir(), "skillboss-s3-"));
  // The package has no types and is CommonJS.
  const S3rver: S3rverClass = createRequire(import.meta.url)("s3rver");
  const s3 = new S3rver({ silent: true, directory, configureBuckets: [{ name: bucket }] });
  await s3.configureBuckets();
  const server = await s3.listen(0, "127.0.0.1");
  if (!server.listening) await once(server, "listening");
  // The library's `listen` answers with a server that listens on TCP.
  const { port } = server.address() as AddressInfo;
  return {
    settings: settingsFor(`http://127.0.0.1:${port}`),
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export function settingsFor(endpoint: string): S3Settings {
  return {
    bucket,
    endpoint,
    region: "us-east-1",
    pathStyle: true,
    // What the library takes.
    credentials: { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" },
    keyPrefix: "some/folder/",
    log: silentLog,
  };
}
