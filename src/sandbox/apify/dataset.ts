import type { Job } from "../job.ts";
import { stringOr } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { hitsFor } from "../web/hits.ts";

const mostItems = 50;

/** GET /v2/datasets/{dataset}/items?offset=&limit=: a bare list; how many there are is in headers. */
export function datasetItems(request: RunRequest): RunAnswer {
  const job = request.job(request.in("dataset"));
  if (job === undefined) throw new Refusal(404, "Dataset was not found");
  const offset = wholeIn(request, "offset") ?? 0;
  const limit = wholeIn(request, "limit");
  const items = itemsOf(job);
  const shown = items.slice(offset, limit === undefined ? undefined : offset + limit);
  return json(shown, {
    headers: {
      "x-apify-pagination-total": String(items.length),
      "x-apify-pagination-offset": String(offset),
      "x-apify-pagination-limit": String(limit ?? items.length),
      "x-apify-pagination-count": String(shown.length),
    },
  });
}

function wholeIn({ query }: RunRequest, name: string): number | undefined {
  const text = query.get(name);
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/** As many as the work has made so far. Anybody can write an id: what it says must not cost much. */
function itemsOf({ facts, progress }: Job): readonly JsonObject[] {
  const { items } = facts;
  const most = typeof items === "number" ? Math.min(mostItems, items) : 0;
  const hits = hitsFor(stringOr(facts["subject"], "examples"), { count: Math.floor(most * progress) });
  return hits.map(({ title, url, snippet, date }, at) => ({
    position: at + 1,
    url,
    title,
    text: snippet,
    date,
  }));
}
