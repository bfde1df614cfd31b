import { anthropicWire } from "./anthropic/wire.ts";
import type { Counter } from "./counter.ts";
import { credentialOf } from "./exchange.ts";
import type { Exchange } from "./exchange.ts";
import { openaiWire } from "./openai/wire.ts";
import { Refusal } from "./refusal.ts";
import { refusedCredential } from "./worn-credential.ts";

type Asked = { readonly method: string; readonly path: string };

/** Chats: Anthropic's wire under its own id, the OpenAI wire under any other. */
export function chatCounter(exchange: Exchange, { method, path }: Asked): Counter {
  const wire = exchange.provider === "anthropic" ? anthropicWire : openaiWire;
  const isBelow = exchange.provider !== "" && path.startsWith("/v1/");
  const door = isBelow ? wire.door(method, path) : undefined;
  return {
    check() {
      if (door === undefined) throw new Refusal(404, `There is no ${method} ${path} here.`);
      const credential = credentialOf(exchange.headers);
      if (credential === "") throw new Refusal(401, "No API key was sent.");
      if (credential === refusedCredential)
        throw new Refusal(401, "The API key is not valid.", { code: "invalid_api_key" });
    },
    async serve(body) {
      await door?.({ ...exchange, body: body.toString("utf8") });
    },
    async refuse(refusal) {
      wire.refuse(exchange, refusal);
    },
  };
}
