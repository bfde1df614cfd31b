import type { Caller } from "../core/caller.ts";
import type { Clock } from "../core/clock.ts";
import type { FileRecord } from "../files/file-rows.ts";
import type { Files } from "../files/files.ts";
import type { Doorkeeper } from "../identity/doorkeeper.ts";
import type { BodyPace } from "./arriving-bytes.ts";
import type { DoorHeaders, Visit } from "./door.ts";

/** A client that does not read is cut off after the time for one that does not send. */
export type FileDoorsHouse = BodyPace & {
  readonly files: Files;
  readonly doorkeeper: Pick<Doorkeeper, "callerOf">;
  readonly clock: Clock;
  /** Limits and balance. Never rejects. */
  readonly headersFor: (caller: Caller) => Promise<DoorHeaders>;
  /** Where the customer reached us, for the addresses in the answer: `https://api.example.com`. */
  readonly publicUrlOf: (visit: Visit<unknown>) => string;
};

/** OpenAI's file object and what it does not have. Whatever purpose was named, files serve any. */
export function shownFile(file: FileRecord, visit: Visit<unknown>, house: FileDoorsHouse) {
  return {
    id: file.id,
    object: "file",
    bytes: file.sizeBytes,
    created_at: seconds(file.createdAt),
    expires_at: seconds(file.expiresAt),
    filename: file.name,
    purpose: "user_data",
    status: "processed",
    content_type: file.contentType,
    run_id: file.runId,
    url: house.files.urlOf(file, house.publicUrlOf(visit)),
  };
}

function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}
