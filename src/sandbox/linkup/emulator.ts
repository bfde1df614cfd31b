import type { Emulator } from "../emulator.ts";
import { json } from "../run-answer.ts";
import { bearer } from "../worn-credential.ts";
import { refuseAsLinkup } from "./errors.ts";
import { fetchPage } from "./fetch.ts";
import { search } from "./search.ts";

/** Linkup, https://api.linkup.so. */
export const linkup: Emulator = {
  credentials: [bearer],
  routes: [
    { method: "POST", path: "/v1/search", answer: search },
    { method: "POST", path: "/v1/fetch", answer: fetchPage },
    { method: "GET", path: "/v1/credits/balance", answer: () => json({ balance: 1_000 }) },
  ],
  refuse: refuseAsLinkup,
};
