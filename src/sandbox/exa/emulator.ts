import type { Emulator } from "../emulator.ts";
import { bearer } from "../worn-credential.ts";
import { answer } from "./answer.ts";
import { contents } from "./contents.ts";
import { refuseAsExa } from "./errors.ts";
import { findSimilar, search } from "./search.ts";

/** Exa, https://api.exa.ai. */
export const exa: Emulator = {
  credentials: [{ kind: "header", name: "x-api-key", prefix: "" }, bearer],
  routes: [
    { method: "POST", path: "/search", answer: search },
    { method: "POST", path: "/findSimilar", answer: findSimilar },
    { method: "POST", path: "/contents", answer: contents },
    { method: "POST", path: "/answer", answer },
  ],
  refuse: refuseAsExa,
  usageNames: ["costDollars"],
};
