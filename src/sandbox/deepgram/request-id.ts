import type { RunRequest } from "../run-request.ts";

/** A UUID that follows from the request. */
export function requestIdOf({ seed }: RunRequest): string {
  return seed.slice(0, 32).replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, "$1-$2-4$3-8$4-$5");
}
