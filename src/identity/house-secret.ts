import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * What signs the addresses of files and the messages to customers' servers: `SKILLBOSS_SECRET_KEY`, or 256 random bits in
 * `<data directory>/secret-key` (mode 0600), made at the first start. Nodes that share a database need the same one.
 */
export function houseSecretIn(dataDirectory: string, given: string | undefined): string {
  if (given !== undefined) return given;
  const path = join(dataDirectory, "secret-key");
  try {
    writeFileSync(path, `${randomBytes(32).toString("base64url")}\n`, { mode: 0o600, flag: "wx" });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
  return readFileSync(path, "utf8").trim();
}
