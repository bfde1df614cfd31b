import type { Emulator } from "../emulator.ts";
import { json } from "../run-answer.ts";
import { refuseAsSerper } from "./errors.ts";
import { search } from "./search.ts";

/** Serper, https://google.serper.dev. */
export const serper: Emulator = {
  credentials: [{ kind: "header", name: "x-api-key", prefix: "" }],
  routes: [
    { method: "GET", path: "/account", answer: () => json({ balance: 1_000, rateLimit: 50 }) },
    { method: "POST", path: "/{vertical}", answer: search },
  ],
  refuse: refuseAsSerper,
  usageNames: ["credits"],
};
