import type { Emulator } from "../emulator.ts";
import { json } from "../run-answer.ts";
import { bearer } from "../worn-credential.ts";
import { refuseAsTavily } from "./errors.ts";
import { extract } from "./extract.ts";
import { search } from "./search.ts";
import { crawl, mapSite } from "./site.ts";

/** Tavily, https://api.tavily.com. */
export const tavily: Emulator = {
  credentials: [bearer],
  routes: [
    { method: "POST", path: "/search", answer: search },
    { method: "POST", path: "/extract", answer: extract },
    { method: "POST", path: "/crawl", answer: crawl },
    { method: "POST", path: "/map", answer: mapSite },
    {
      method: "GET",
      path: "/usage",
      answer: () => json({ key: { usage: 0, limit: 1_000 }, account: { plan_usage: 0, plan_limit: 1_000 } }),
    },
  ],
  refuse: refuseAsTavily,
  usageNames: ["usage"],
};
