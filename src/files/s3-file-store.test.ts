import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { newId } from "../core/ids.ts";
import { contentOf, cut, storePromises } from "./file-store-battery.ts";
import type { FileStore } from "./file-store.ts";
import { s3FileStore } from "./s3-file-store.ts";
import { startS3 } from "./s3-under-test.ts";
import type { TestS3 } from "./s3-under-test.ts";

let s3: TestS3;
let store: FileStore;
let client: S3Client;

before(async () => {
  s3 = await startS3();
  store = s3FileStore(s3.settings);
  const { endpoint = "", region, credentials } = s3.settings;
  client = new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    ...(credentials === undefined ? {} : { credentials }),
  });
});
after(async () => {
  store.close();
  client.destroy();
  await s3.stop();
});

const entries = async (): Promise<readonly string[]> => {
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: s3.settings.bucket }));
  return Contents.map(({ Key }) => Key ?? "");
};

describe("files in an S3 bucket", () => {
  for (const [sentence, check] of storePromises) test(sentence, () => check({ store, entries }));

  test("keys lie under the prefix that was set", async () => {
    const id = newId("file");
    await store.put(id, cut(Buffer.from("x")), { maxBytes: 10 });
    assert.ok((await entries()).includes(`some/folder/${id}`));
    assert.ok((await entries()).every((key) => key.startsWith("some/folder/")));
  });

  test("a bucket that is not there is a fault, not an empty store", async () => {
    const elsewhere = s3FileStore({ ...s3.settings, bucket: "nowhere" });
    await assert.rejects(elsewhere.open(newId("file")), { name: "NoSuchBucket" });
    await assert.rejects(elsewhere.remove(newId("file")), { name: "NoSuchBucket" });
    await assert.rejects(elsewhere.put(newId("file"), cut(Buffer.from("x")), { maxBytes: 10 }), {
      name: "NoSuchBucket",
    });
    elsewhere.close();
  });

  test("an S3 that gives another part than was asked for is a fault", async () => {
    const id = newId("file");
    await store.put(id, cut(Buffer.from("abc")), { maxBytes: 10 });
    // The library takes an end of 0 for none.
    await assert.rejects(store.open(id, { start: 0, end: 0 }), /another part/);
  });

  test("a reader that stops early gives its connection back", async () => {
    const id = newId("file");
    await store.put(id, cut(Buffer.alloc(3_000_000)), { maxBytes: 3_000_000 });
    for (let round = 0; round < 60; round += 1) (await store.open(id))?.body.destroy();
    assert.equal((await contentOf(store, id))?.length, 3_000_000);
  });
});
