import { Problem } from "../../core/problems.ts";
import { EgressFailure } from "../../egress/egress.ts";
import type { EngineContext } from "../../engines/engine.ts";
import type { RunHouse } from "./run-house.ts";
import type { RunRow } from "./run-store.ts";

const fetchTimeoutMs = 60_000;

/** How an engine reads a file that an input names: one of ours by its own address, all others through the guard. */
export function fileReaderOf(row: RunRow, house: RunHouse): EngineContext["fetchFile"] {
  return async (url, maxBytes) => {
    const own = await house.files.readOwn(url, { accountId: row.account_id, mode: row.mode, maxBytes });
    if (own !== undefined) return { ...own, url };
    try {
      const answer = await house.egress.fetch({ url, maxBytes, timeoutMs: fetchTimeoutMs });
      if (answer.status < 200 || answer.status > 299)
        throw new Problem("invalid_request", { message: `The file's address answers ${answer.status}.` });
      const contentType = answer.headers["content-type"] ?? "application/octet-stream";
      return { bytes: answer.bytes, contentType, url: answer.url };
    } catch (error) {
      if (!(error instanceof EgressFailure)) throw error;
      throw new Problem("invalid_request", { message: "The file could not be fetched.", cause: error });
    }
  };
}
