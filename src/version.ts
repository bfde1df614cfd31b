import { readFileSync } from "node:fs";

/** The version in package.json. */
export const version: string = readVersion();

function readVersion(): string {
  const text: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return typeof text === "object" && text !== null && "version" in text ? String(text.version) : "unknown";
}
