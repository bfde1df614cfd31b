import type { Emulator } from "../emulator.ts";
import { json } from "../run-answer.ts";
import { bearer } from "../worn-credential.ts";
import { cancelCrawl, crawlErrors, crawlStatus, startCrawl } from "./crawl.ts";
import { refuseAsFirecrawl } from "./errors.ts";
import { mapSite } from "./map.ts";
import { scrape } from "./scrape.ts";
import { search } from "./search.ts";

/** Firecrawl, version 2, https://api.firecrawl.dev. */
export const firecrawl: Emulator = {
  credentials: [bearer],
  routes: [
    { method: "POST", path: "/v2/scrape", answer: scrape },
    { method: "POST", path: "/v2/crawl", answer: startCrawl },
    { method: "GET", path: "/v2/crawl/{id}", answer: crawlStatus },
    { method: "DELETE", path: "/v2/crawl/{id}", answer: cancelCrawl },
    { method: "GET", path: "/v2/crawl/{id}/errors", answer: crawlErrors },
    { method: "POST", path: "/v2/map", answer: mapSite },
    { method: "POST", path: "/v2/search", answer: search },
    {
      method: "GET",
      path: "/v2/team/credit-usage",
      answer: () => json({ success: true, data: { remainingCredits: 1_000, planCredits: 1_000 } }),
    },
  ],
  refuse: refuseAsFirecrawl,
  usageNames: ["creditsUsed"],
};
