import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { seededRandom } from "../../tests/support/seeded-random.ts";
import { newId } from "../core/ids.ts";
import { FileTooLarge } from "./file-store.ts";
import type { ByteRange, FileStore } from "./file-store.ts";

export type StoreUnderTest = {
  readonly store: FileStore;
  /** The names of everything that lies in the home, drafts included. */
  readonly entries: () => Promise<readonly string[]>;
};

/** One promise of every file store: its sentence, and the check that it is kept. */
export type StorePromise = readonly [sentence: string, check: (test: StoreUnderTest) => Promise<void>];

const plenty = { maxBytes: 1_000_000_000 };
/** Large enough for several parts, and no multiple of anything. */
const largeBytes = 20 * 1024 * 1024 + 12_345;

/** Cut into pieces of at most `pieceBytes`. */
export async function* cut(bytes: Buffer, pieceBytes = 65_536): AsyncGenerator<Buffer, void, undefined> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

export async function contentOf(
  store: FileStore,
  id: string,
  range?: ByteRange,
): Promise<Buffer | undefined> {
  const opened = await store.open(id, range);
  if (opened === undefined) return undefined;
  const pieces: Buffer[] = await opened.body.toArray();
  return Buffer.concat(pieces);
}

/** Says which of two large buffers differ without printing them. */
function assertSame(found: Buffer | undefined, wanted: Buffer, label: string): void {
  const digest = (bytes: Buffer | undefined) =>
    bytes === undefined ? "none" : `${bytes.length} ${createHash("sha256").update(bytes).digest("hex")}`;
  assert.equal(digest(found), digest(wanted), label);
}

async function stored(store: FileStore, bytes: Buffer): Promise<string> {
  const id = newId("file");
  await store.put(id, cut(bytes), plenty);
  return id;
}

const contentPromises: readonly StorePromise[] = [
  [
    "what was put comes back byte for byte, with its size and its beginning",
    async ({ store }) => {
      for (const size of [0, 1, 4095, 4096, 4097, 300_000, largeBytes]) {
        const bytes = randomBytes(size);
        const id = newId("file");
        const { sizeBytes, head } = await store.put(id, cut(bytes), plenty);
        assert.equal(sizeBytes, size);
        assertSame(head, bytes.subarray(0, 4096), `the head of ${size} bytes`);
        assertSame(await contentOf(store, id), bytes, `${size} bytes`);
        assert.equal((await openedSize(store, id)) ?? -1, size);
      }
    },
  ],
  [
    "the pieces a body comes in do not matter, and later changes of their memory neither",
    async ({ store }) => {
      const random = seededRandom(7);
      const pieces = Array.from({ length: 300 }, () => randomBytes(Math.floor(random() ** 4 * 40_000)));
      const whole = Buffer.concat(pieces);
      const reused = async function* (): AsyncGenerator<Buffer, void, undefined> {
        for (const piece of pieces) {
          const shown = Buffer.from(piece);
          yield shown;
          yield Buffer.alloc(0);
        }
      };
      const id = newId("file");
      const { sizeBytes, head } = await store.put(id, reused(), plenty);
      assert.equal(sizeBytes, whole.length);
      assertSame(head, whole.subarray(0, 4096), "the head");
      assertSame(await contentOf(store, id), whole, "the whole");
    },
  ],
  [
    "a range is exactly those bytes, and tells the size of the whole",
    async ({ store }) => {
      const random = seededRandom(11);
      const bytes = randomBytes(100_000);
      const id = await stored(store, bytes);
      const last = bytes.length - 1;
      const ranges = Array.from({ length: 20 }, () => {
        const start = Math.floor(random() * bytes.length);
        return { start, end: start + Math.floor(random() * (bytes.length - start)) };
      });
      for (const range of [
        { start: 0, end: 1 },
        { start: last, end: last },
        { start: 0, end: last },
        ...ranges,
      ])
        assertSame(
          await contentOf(store, id, range),
          bytes.subarray(range.start, range.end + 1),
          `${range.start}–${range.end}`,
        );
      const beyond = await store.open(id, { start: last - 9, end: last + 1000 });
      assert.equal(beyond?.sizeBytes, bytes.length);
      assertSame(Buffer.concat(await beyond.body.toArray()), bytes.subarray(-10), "an end beyond the file's");
    },
  ],
  [
    "a range that begins behind the last byte is refused, not answered with nothing",
    async ({ store }) => {
      const id = await stored(store, randomBytes(10));
      const empty = await stored(store, Buffer.alloc(0));
      await assert.rejects(store.open(id, { start: 10, end: 20 }), RangeError);
      await assert.rejects(store.open(empty, { start: 0, end: 0 }), RangeError);
      assert.equal((await contentOf(store, id, { start: 9, end: 20 }))?.length, 1);
    },
  ],
];

async function openedSize(store: FileStore, id: string): Promise<number | undefined> {
  const opened = await store.open(id);
  opened?.body.destroy();
  return opened?.sizeBytes;
}

const wholePromises: readonly StorePromise[] = [
  [
    "nothing can be opened before it is whole",
    async ({ store }) => {
      for (const size of [10_000, largeBytes]) {
        const id = newId("file");
        const bytes = randomBytes(size);
        const seen: unknown[] = [];
        const watched = async function* (): AsyncGenerator<Buffer, void, undefined> {
          yield bytes.subarray(0, size - 1);
          seen.push(await store.open(id));
          yield bytes.subarray(size - 1);
          seen.push(await store.open(id));
        };
        await store.put(id, watched(), plenty);
        assert.deepEqual(seen, [undefined, undefined]);
        assertSame(await contentOf(store, id), bytes, `${size} bytes`);
      }
    },
  ],
  [
    "a file above the limit is refused at the piece that passes it, and leaves nothing",
    async ({ store, entries }) => {
      const before = await entries();
      for (const maxBytes of [0, 1, 100_000, largeBytes]) {
        const id = newId("file");
        let given = 0;
        const endless = async function* (): AsyncGenerator<Buffer, void, undefined> {
          for (;;) {
            given += 50_000;
            yield Buffer.alloc(50_000, 1);
          }
        };
        await assert.rejects(
          store.put(id, endless(), { maxBytes }),
          (error) => error instanceof FileTooLarge && error.maxBytes === maxBytes,
        );
        assert.ok(given <= maxBytes + 50_000, `${given} bytes were read at a limit of ${maxBytes}`);
        assert.equal(await store.open(id), undefined);
      }
      assert.deepEqual(await entries(), before);
      const id = newId("file");
      const exact = await store.put(id, cut(randomBytes(100_000), 7_000), { maxBytes: 100_000 });
      assert.equal(exact.sizeBytes, 100_000);
    },
  ],
  [
    "a body that breaks off leaves nothing, and its own error is the answer",
    async ({ store, entries }) => {
      const before = await entries();
      for (const size of [0, 10_000, largeBytes]) {
        const id = newId("file");
        const fault = new Error("the sender is gone");
        const broken = async function* (): AsyncGenerator<Buffer, void, undefined> {
          yield* cut(Buffer.alloc(size));
          throw fault;
        };
        await assert.rejects(store.put(id, broken(), plenty), (error) => error === fault);
        assert.equal(await store.open(id), undefined);
      }
      assert.deepEqual(await entries(), before);
    },
  ],
  [
    "files that are put at once do not mix",
    async ({ store }) => {
      const files = Array.from({ length: 30 }, (_, index) => ({
        id: newId("file"),
        bytes: randomBytes(1000 * index),
      }));
      await Promise.all(files.map(({ id, bytes }) => store.put(id, cut(bytes, 1234), plenty)));
      for (const { id, bytes } of files) assertSame(await contentOf(store, id), bytes, id);
    },
  ],
];

const removalPromises: readonly StorePromise[] = [
  [
    "a removed file is gone, and removing it again or what never was is no fault",
    async ({ store, entries }) => {
      const before = await entries();
      const id = await stored(store, randomBytes(1000));
      const kept = await stored(store, randomBytes(1000));
      await store.remove(id);
      assert.equal(await store.open(id), undefined);
      await store.remove(id);
      await store.remove(newId("file"));
      assert.equal((await contentOf(store, kept))?.length, 1000);
      await store.remove(kept);
      assert.deepEqual(await entries(), before);
    },
  ],
  [
    "a text that is no id reaches no path",
    async ({ store, entries }) => {
      const before = await entries();
      const digits = "0".repeat(32);
      const texts = [
        "",
        ".",
        "../../etc/passwd",
        `../file_${digits}`,
        `file_${digits}/..`,
        `file_${digits}\0`,
      ];
      for (const id of [...texts, "file_über", `FILE_${digits}`, `file_${digits}0`, ` file_${digits}`]) {
        await assert.rejects(store.put(id, cut(Buffer.alloc(1)), plenty), /not the id/, id);
        await assert.rejects(store.open(id), /not the id/, id);
        await assert.rejects(store.remove(id), /not the id/, id);
      }
      assert.deepEqual(await entries(), before);
    },
  ],
];

/** What every file store promises. */
export const storePromises: readonly StorePromise[] = [
  ...contentPromises,
  ...wholePromises,
  ...removalPromises,
];
