import type { Emulator } from "../emulator.ts";
import { json } from "../run-answer.ts";
import { refuseAsScrapeCreators } from "./errors.ts";
import { scrape } from "./scrape.ts";

/** ScrapeCreators, https://api.scrapecreators.com. */
export const scrapecreators: Emulator = {
  credentials: [{ kind: "header", name: "x-api-key", prefix: "" }],
  routes: [
    {
      method: "GET",
      path: "/v1/account/credit-balance",
      answer: () => json({ success: true, creditCount: 100_000 }),
    },
    { method: "GET", path: "/v1/{rest...}", answer: scrape },
    { method: "GET", path: "/v2/{rest...}", answer: scrape },
    { method: "GET", path: "/v3/{rest...}", answer: scrape },
  ],
  refuse: refuseAsScrapeCreators,
  usageNames: ["credits_remaining"],
};
