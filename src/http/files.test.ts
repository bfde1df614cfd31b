import assert from "node:assert/strict";
import { test } from "node:test";
import type { Caller } from "../core/caller.ts";
import { newId } from "../core/ids.ts";
import type { FileRecord } from "../files/file-rows.ts";
import type { Visit } from "./door.ts";
import { fileDoors } from "./files.ts";
import type { FileDoorsHouse } from "./shown-file.ts";

const at = new Date("2026-11-01T10:00:00Z");
const own: readonly FileRecord[] = Array.from({ length: 1_001 }, (_, index) => {
  const id = newId("file");
  const file = { id, accountId: "acc_1", mode: "live", name: `${index}.txt`, contentType: "text/plain" };
  return { ...file, sizeBytes: 1, createdAt: at, expiresAt: at } as unknown as FileRecord;
});

/** A house with these files, of which a page costs nothing. */
const house = {
  files: {
    list: ({ limit, after }: { readonly limit: number; readonly after?: string }) => {
      const rest = own.slice(own.findIndex(({ id }) => id === after) + 1);
      return Promise.resolve({ files: rest.slice(0, limit), hasMore: rest.length > limit });
    },
    urlOf: () => "http://127.0.0.1/f",
  },
  publicUrlOf: () => "http://127.0.0.1",
} as unknown as FileDoorsHouse;

test("a list gives a thousand files at most, however many are asked for, and says that there are more", async () => {
  const door = fileDoors(house).find(({ method, path }) => method === "GET" && path === "/v1/files");
  assert.ok(door !== undefined && "answer" in door);
  const list = async (query: string) => {
    const visit: Partial<Visit<undefined>> = {
      query: new URLSearchParams(query),
      caller: () => ({ accountId: "acc_1", mode: "live" }) as unknown as Caller,
    };
    const { body } = await door.answer(visit as Visit<undefined>);
    return body as { readonly data: readonly object[]; readonly has_more: boolean; readonly last_id: string };
  };
  const first = await list("limit=10000");
  assert.deepEqual([first.data.length, first.has_more], [1_000, true]);
  const rest = await list(`limit=10000&after=${first.last_id}`);
  assert.deepEqual([rest.data.length, rest.has_more], [1, false]);
});
