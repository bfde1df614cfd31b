import type { Emulator } from "../emulator.ts";
import { json } from "../run-answer.ts";
import { bearer } from "../worn-credential.ts";
import { domainSearch } from "./domain-search.ts";
import { findEmail } from "./email-finder.ts";
import { verifyEmail } from "./email-verifier.ts";
import { refuseAsHunter } from "./errors.ts";

/** Hunter, https://api.hunter.io. */
export const hunter: Emulator = {
  credentials: [
    { kind: "query", name: "api_key" },
    { kind: "header", name: "x-api-key", prefix: "" },
    bearer,
  ],
  routes: [
    { method: "GET", path: "/v2/domain-search", answer: domainSearch },
    { method: "GET", path: "/v2/email-finder", answer: findEmail },
    { method: "GET", path: "/v2/email-verifier", answer: verifyEmail },
    {
      method: "GET",
      path: "/v2/account",
      answer: () =>
        json({ data: { requests: { credits: { used: 0, available: 2_000, remaining: 2_000 } } } }),
    },
  ],
  refuse: refuseAsHunter,
};
