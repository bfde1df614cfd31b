import { Problem } from "../../core/problems.ts";

/** The document is not what it should be. Which input named it is added by the one who asked. */
export function documentFault(message: string, cause?: unknown): Problem {
  return new Problem("invalid_request", { message, cause });
}
