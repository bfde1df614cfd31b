import { withoutDirectives } from "../directives.ts";
import { Refusal, badRequest } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { isWebAddress } from "../web/page.ts";
import { kindOf } from "./kinds.ts";
import { shapeOf } from "./shapes.ts";

const platforms = new Set(
  (
    "amazon apple-music bluesky detect-age-gender facebook github google instagram kick komi kwai linkbio linkedin " +
    "linkme linktree pillar pinterest reddit rumble snapchat soundcloud spotify telegram threads tiktok truthsocial " +
    "twitch twitter youtube"
  ).split(" "),
);
/** These say what is shown without being asked for anything. */
const open = /trending|creators\/popular|ads\/search/;
/** These do not say what is wanted. */
const optional = new Set([
  "cursor",
  "page",
  "region",
  "trim",
  "language",
  "cache_max_age",
  "sort_by",
  "count",
]);
const credits = 100_000;

/**
 * GET /v1/{platform}/…: something in the manner of the platform. Accounts called `missing` and pages of theirs are not
 * there. What exactly each of the endpoints needs is not known here: something is needed, and addresses must be ones.
 */
export function scrape(request: RunRequest): RunAnswer {
  const parts = request.in("rest").split("/");
  const [platform = ""] = parts;
  if (!platforms.has(platform)) throw new Refusal(404, `There is no ${request.path}.`);
  const asked = [...request.query].filter(([name, value]) => !optional.has(name) && value !== "");
  if (asked.length === 0 && !open.test(request.path)) throw badRequest("A required parameter is missing.");
  const url = request.query.get("url");
  if (url !== null && !isWebAddress(url)) throw badRequest("url is not the address of a page.", "url");
  const [subject = platform] = asked.map(([, value]) => withoutDirectives(value));
  const handle = handleIn(request.query.get("handle") ?? subject);
  if (handle === "missing") throw new Refusal(404, "Not found");
  const shape = shapeOf(kindOf(parts), { platform, handle, topic: subject, seed: request.seed });
  return json({
    success: true,
    credits_remaining: credits,
    ...(platform === "kwai" ? { data: shape } : shape),
  });
}

/** The last name in an address, or the text itself. */
function handleIn(text: string): string {
  const bare = withoutDirectives(text).trim();
  const last = isWebAddress(bare)
    ? (new URL(bare).pathname.split("/").findLast((part) => part !== "") ?? "page")
    : bare;
  return last.replace(/^@/, "").replaceAll(/\s+/g, "-").slice(0, 60);
}
