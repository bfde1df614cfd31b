import { readdirSync, readFileSync } from "node:fs";
import type { Gateway } from "./gateway.ts";

/** Resident memory of the gateway's process, in bytes. */
export function residentBytes(gateway: Gateway): number {
  const status = readFileSync(`/proc/${gateway.process.pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

/** Open files and sockets of the gateway's process. */
export function openDescriptors(gateway: Gateway): number {
  return readdirSync(`/proc/${gateway.process.pid}/fd`).length;
}
