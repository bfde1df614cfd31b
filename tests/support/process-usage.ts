import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { GatewayProcess } from "./gateway-process.ts";

/** Resident memory of the gateway's process, in bytes; 0 where the system does not tell, so that it never grows. */
export function residentBytes(gateway: GatewayProcess): number {
  const path = `/proc/${gateway.process.pid}/status`;
  if (!existsSync(path)) return 0;
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(path, "utf8"))?.[1]) * 1024;
}

/** Open files and sockets of the gateway's process. */
export function openDescriptors(gateway: GatewayProcess): number {
  return readdirSync(`/proc/${gateway.process.pid}/fd`).length;
}

/** The most memory that a process had so far, in bytes. */
export function peakMemoryBytes(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
}
