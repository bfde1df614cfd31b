import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import type { LogFields } from "../core/log.ts";
import { silentLog } from "../core/log.ts";
import { newId } from "../core/ids.ts";
import { cut } from "./file-store-battery.ts";
import { FileTooLarge } from "./file-store.ts";
import { s3FileStore } from "./s3-file-store.ts";
import { settingsFor } from "./s3-under-test.ts";

/**
 * Uploads in parts that come to no end. The test server of the other file neither lists nor aborts them, so this one
 * does, in the answers of the S3 reference, and writes down what it was asked.
 */
type Answer = { readonly status: number; readonly body?: string; readonly headers?: Record<string, string> };

/** It is done, and the answer is lost on its way. */
const lost: Answer = { status: 0 };

type Recorder = {
  readonly endpoint: string;
  /** `PUT some/folder/file_… ?partNumber=1&uploadId=u1`, without the parts that the SDK adds for itself. */
  readonly asked: string[];
  readonly stop: () => Promise<void>;
};

async function startRecorder(answer: (line: string) => Answer): Promise<Recorder> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    void read(request).then(() => {
      const url = new URL(request.url ?? "", "http://s3");
      url.searchParams.delete("x-id");
      const line = `${request.method} ${url.pathname.slice(1)}${url.search}`;
      asked.push(line);
      const { status, body = "", headers = {} } = answer(line);
      if (status === lost.status) response.destroy();
      else response.writeHead(status, { "content-type": "application/xml", ...headers }).end(body);
    });
  });
  // Whoever waits for a `continue` waits for ever.
  server.on("checkContinue", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    asked,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

async function read(request: IncomingMessage): Promise<void> {
  for await (const _ of request);
}

const started: Answer = {
  status: 200,
  body: "<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>",
};
const partTaken: Answer = { status: 200, headers: { etag: '"e"' } };

function failure(status: number, code: string): Answer {
  return { status, body: `<Error><Code>${code}</Code><Message>no</Message></Error>` };
}

function uploadsOf(...keys: readonly string[]): Answer {
  const uploads = keys.map((key) => `<Upload><Key>${key}</Key><UploadId>of ${key}</UploadId></Upload>`);
  return {
    status: 200,
    body: `<ListMultipartUploadsResult>${uploads.join("")}</ListMultipartUploadsResult>`,
  };
}

const largeBytes = 20 * 1024 * 1024;
const large = () => cut(Buffer.alloc(largeBytes, 1));

describe("uploads to S3 that come to no end", () => {
  for (const [what, maxBytes, complete] of [
    ["passes the limit", 18 * 1024 * 1024, { status: 200 }],
    ["S3 does not take at the end", 100 * 1024 * 1024, failure(400, "InvalidPart")],
  ] as const) {
    test(`an upload in parts that ${what} is aborted`, async () => {
      const id = newId("file");
      const key = `files/some/folder/${id}`;
      const s3 = await startRecorder((line) => {
        if (line.startsWith("DELETE")) return { status: 204 };
        if (line.startsWith("PUT")) return partTaken;
        return line.endsWith("uploads=") ? started : complete;
      });
      const store = s3FileStore(settingsFor(s3.endpoint));
      const fault = await store.put(id, large(), { maxBytes }).catch((error: unknown) => error);
      assert.ok(maxBytes > 20 * 1024 * 1024 || fault instanceof FileTooLarge, String(fault));
      assert.ok(fault instanceof Error);
      assert.equal(s3.asked.at(-1), `DELETE ${key}?uploadId=u1`);
      assert.equal(
        s3.asked.filter((line) => line.startsWith("POST")).length,
        maxBytes > 20 * 1024 * 1024 ? 2 : 1,
      );
      store.close();
      await s3.stop();
    });
  }

  for (const [what, length, isTaken] of [
    ["taken when the object is there", largeBytes, true],
    ["a fault when another object is there", largeBytes - 1, false],
  ] as const) {
    test(`an upload whose last answer was lost, and that S3 knows no more, is ${what}`, async () => {
      let completions = 0;
      const s3 = await startRecorder((line) => {
        if (line.startsWith("DELETE")) return { status: 204 };
        if (line.startsWith("HEAD")) return { status: 200, headers: { "content-length": String(length) } };
        if (line.startsWith("PUT")) return partTaken;
        if (line.endsWith("uploads=")) return started;
        completions += 1;
        return completions === 1 ? lost : failure(404, "NoSuchUpload");
      });
      const store = s3FileStore(settingsFor(s3.endpoint));
      const put = store.put(newId("file"), large(), { maxBytes: largeBytes });
      if (isTaken) assert.equal((await put).sizeBytes, largeBytes);
      else await assert.rejects(put, { name: "NoSuchUpload" });
      assert.equal(completions, 2);
      store.close();
      await s3.stop();
    });
  }

  test("an S3 that never says `continue` gets a large piece at once", async () => {
    const s3 = await startRecorder(() => ({ status: 200 }));
    const store = s3FileStore(settingsFor(s3.endpoint));
    const { sizeBytes } = await store.put(newId("file"), cut(Buffer.alloc(3_000_000)), { maxBytes: 1e7 });
    assert.equal(sizeBytes, 3_000_000);
    store.close();
    await s3.stop();
  });

  test("removing a file aborts what a killed process left of it, and of no other", async () => {
    const id = newId("file");
    const key = `some/folder/${id}`;
    const s3 = await startRecorder((line) => {
      if (line.startsWith("GET")) return uploadsOf(key, `${key}0`);
      return line.includes("uploadId") ? failure(404, "NoSuchUpload") : { status: 204 };
    });
    const store = s3FileStore(settingsFor(s3.endpoint));
    await store.remove(id);
    assert.deepEqual(
      s3.asked.map((line) => line.replaceAll("%2F", "/")),
      [`GET files/?prefix=${key}&uploads=`, `DELETE files/${key}?uploadId=of+${key}`, `DELETE files/${key}`],
    );
    store.close();
    await s3.stop();
  });

  test("an S3 that does not list unfinished uploads is asked once, and the operator is told", async () => {
    const told: LogFields[] = [];
    const s3 = await startRecorder((line) =>
      line.startsWith("GET") ? failure(501, "NotImplemented") : { status: 204 },
    );
    const store = s3FileStore({
      ...settingsFor(s3.endpoint),
      log: { ...silentLog, warn: (fields) => told.push(fields) },
    });
    for (let count = 0; count < 3; count += 1) await store.remove(newId("file"));
    assert.equal(s3.asked.filter((line) => line.startsWith("DELETE")).length, 3);
    assert.equal(told.length, 1);
    const lists = s3.asked.filter((line) => line.startsWith("GET"));
    assert.ok(new Set(lists).size === 1, lists.join());
    store.close();
    await s3.stop();
  });
});
