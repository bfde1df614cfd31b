import { z } from "zod";
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

const seconds = z.int().min(0).describe("Seconds since 1970.");

export const fileForm = z.strictObject({
  id: z.string(),
  object: z.literal("file"),
  bytes: z.int().min(0),
  created_at: seconds,
  expires_at: seconds,
  filename: z.string(),
  purpose: z.literal("user_data"),
  status: z.literal("processed"),
  content_type: z.string(),
  run_id: z.string().nullable().describe("The run that made it."),
  url: z.string().describe("Its content, without a key, until `expires_at`."),
});

/** OpenAI's file object and what it does not have. Whatever purpose was named, files serve any. */
export function shownFile(
  file: FileRecord,
  visit: Visit<unknown>,
  house: FileDoorsHouse,
): z.output<typeof fileForm> {
  return {
    id: file.id,
    object: "file",
    bytes: file.sizeBytes,
    created_at: secondsOf(file.createdAt),
    expires_at: secondsOf(file.expiresAt),
    filename: file.name,
    purpose: "user_data",
    status: "processed",
    content_type: file.contentType,
    run_id: file.runId,
    url: house.files.urlOf(file, house.publicUrlOf(visit)),
  };
}

function secondsOf(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}
