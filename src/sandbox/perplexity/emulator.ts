import type { Emulator } from "../emulator.ts";
import { Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import { bearer } from "../worn-credential.ts";
import { refuseAsPerplexity } from "./errors.ts";
import { respond } from "./responses.ts";
import { search } from "./search.ts";

/** Perplexity, https://api.perplexity.ai, after the end of its chat completions on 2026-09-27. */
export const perplexity: Emulator = {
  credentials: [bearer],
  routes: [
    { method: "POST", path: "/search", answer: search },
    { method: "POST", path: "/v1/responses", answer: respond },
    { method: "POST", path: "/v1/agent", answer: respond },
    ...["/chat/completions", "/v1/chat/completions", "/v1/sonar"].map((path) => ({
      method: "POST" as const,
      path,
      answer: tellRetirement,
    })),
    {
      method: "GET",
      path: "/v1/models",
      isOpen: true,
      answer: () => json({ object: "list", data: [{ id: "perplexity/sonar", object: "model" }] }),
    },
  ],
  refuse: refuseAsPerplexity,
  usageNames: ["usage"],
};

function tellRetirement(): never {
  const message = "Sonar is now the Agent API. Use /v1/responses instead of /v1/sonar";
  throw new Refusal(403, message, { code: "chat_completions_not_available" });
}
