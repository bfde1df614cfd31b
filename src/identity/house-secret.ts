import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { secretIn } from "./secret-file.ts";

/**
 * What signs the addresses of files and the messages to customers' servers: `SKILLBOSS_SECRET_KEY`, or 256 random bits in
 * `<data directory>/secret-key` (mode 0600), made at the first start. Nodes that share a database need the same one.
 */
export function houseSecretIn(dataDirectory: string, given: string | undefined): string {
  if (given !== undefined) return given;
  return secretIn(join(dataDirectory, "secret-key"), () => randomBytes(32).toString("base64url"));
}
