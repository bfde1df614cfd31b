import { stringsIn } from "../json.ts";
import { badRequest } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { isWebAddress } from "../web/page.ts";
import { costOfContents } from "./cost.ts";
import { contentsIn, pageResult, requestIdOf } from "./result.ts";

const mostUrls = 100;

/** POST /contents: an address that cannot be read is told in `statuses`, and costs nothing. */
export function contents(request: RunRequest): RunAnswer {
  const body = request.json();
  const urls = stringsIn(body["urls"] ?? body["ids"]);
  if (urls.length === 0) throw badRequest("urls must hold at least one address", "urls");
  if (urls.length > mostUrls) throw badRequest(`urls must hold at most ${mostUrls} addresses`, "urls");
  const wanted = contentsIn(body);
  const found = urls.filter(isFound);
  return json({
    requestId: requestIdOf(request),
    results: found.map((url) => pageResult(url, wanted)),
    statuses: urls.map((url) =>
      isFound(url)
        ? { id: url, status: "success", source: "cached" }
        : { id: url, status: "error", error: { tag: "CRAWL_NOT_FOUND", httpStatusCode: 404 } },
    ),
    costDollars: costOfContents(found.length, wanted),
    searchTime: 87.5,
  });
}

/** Hosts below `.invalid` are never found, as on the real web. */
function isFound(url: string): boolean {
  return isWebAddress(url) && !new URL(url).hostname.endsWith(".invalid");
}
