import { z } from "zod";
import { Problem } from "../core/problems.ts";
import { isStoreId } from "../files/file-store.ts";
import { listOf } from "./answer-schemas.ts";
import type { Door, Visit } from "./door.ts";
import { fileContentDoor } from "./file-content.ts";
import { fileUploadDoor } from "./file-upload.ts";
import { fileForm, shownFile } from "./shown-file.ts";
import type { FileDoorsHouse } from "./shown-file.ts";

const mostListed = 1000;
/** OpenAI's clients may ask for so many; `has_more` leads on to the rest. */
const mostAsked = 10_000;

const fileList = listOf(fileForm).extend({
  first_id: z.string().nullable(),
  last_id: z.string().nullable(),
  has_more: z.boolean(),
});

const removed = z.strictObject({ id: z.string(), object: z.literal("file"), deleted: z.literal(true) });

/** Files of customers: what they bring for runs, and what runs made. In the form of OpenAI's files. */
export function fileDoors(house: FileDoorsHouse): readonly Door[] {
  return [fileUploadDoor(house), listDoor(house), readDoor(house), removeDoor(house), fileContentDoor(house)];
}

function listDoor(house: FileDoorsHouse): Door {
  return {
    method: "GET",
    path: "/v1/files",
    access: "caller",
    query: { limit: z.int().min(1).max(mostAsked), after: z.string() },
    summary:
      "The account's files in the mode of the key, newest first, 1000 at most. `?limit=&after=file id`.",
    answers: "`data` and `has_more`; go on with `after` set to the last id.",
    answerForm: fileList,
    async answer(visit) {
      const { accountId, mode } = visit.caller();
      const { files, hasMore } = await house.files.list({
        accountId,
        mode,
        limit: limitIn(visit),
        after: afterIn(visit),
      });
      return {
        status: 200,
        body: {
          object: "list",
          data: files.map((file) => shownFile(file, visit, house)),
          first_id: files.at(0)?.id ?? null,
          last_id: files.at(-1)?.id ?? null,
          has_more: hasMore,
        },
      };
    },
  };
}

function readDoor(house: FileDoorsHouse): Door {
  return {
    method: "GET",
    path: "/v1/files/{id}",
    access: "caller",
    summary: "What is known of a file.",
    answers: "The file, with an address for its content that needs no key and holds until `expires_at`.",
    answerForm: fileForm,
    async answer(visit) {
      const file = await house.files.read(visit.parameters["id"] ?? "", visit.caller());
      return { status: 200, body: shownFile(file, visit, house) };
    },
  };
}

function removeDoor(house: FileDoorsHouse): Door {
  return {
    method: "DELETE",
    path: "/v1/files/{id}",
    access: "caller",
    status: 200,
    summary: "Removes a file; its addresses stop working at once.",
    answers: "`id` and `deleted`.",
    answerForm: removed,
    async answer(visit) {
      const id = visit.parameters["id"] ?? "";
      await house.files.remove(id, visit.caller());
      return { status: 200, body: { id, object: "file", deleted: true } };
    },
  };
}

function limitIn(visit: Visit<unknown>): number {
  const text = visit.query.get("limit");
  if (text === null) return 100;
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= mostAsked) return Math.min(limit, mostListed);
  throw new Problem("invalid_request", {
    param: "limit",
    message: `limit: want a whole number from 1 to ${mostAsked}.`,
  });
}

function afterIn(visit: Visit<unknown>): string | undefined {
  const after = visit.query.get("after");
  if (after === null || isStoreId(after)) return after ?? undefined;
  throw new Problem("invalid_request", { param: "after", message: "after: want the id of a file." });
}
