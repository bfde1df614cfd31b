import { modelIdIn, sendJson } from "../exchange.ts";
import type { Exchange } from "../exchange.ts";
import { fingerprintOf } from "../answers/random.ts";
import type { Refusal } from "../refusal.ts";
import type { Wire } from "../wire.ts";
import { answerChat } from "./chat.ts";
import { errorBody } from "./errors.ts";
import { headersFor, refusalHeaders } from "./headers.ts";
import { modelNamed, modelsOf } from "./models.ts";

export const openaiWire: Wire = {
  door(method, path) {
    if (method === "POST" && path === "/v1/chat/completions") return answerChat;
    if (method !== "GET") return undefined;
    if (path === "/v1/models") return async (exchange) => sendModels(exchange, modelsOf(exchange.provider));
    const id = modelIdIn(path);
    if (id === undefined) return undefined;
    return async (exchange) => sendModels(exchange, modelNamed(id, exchange.provider));
  },
  refuse(exchange: Exchange, refusal: Refusal) {
    // No 529 on this wire: overload is a 503.
    const status = refusal.status === 529 ? 503 : refusal.status;
    sendJson(exchange.response, status, {
      body: errorBody(status, refusal),
      headers: refusalHeaders(status, fingerprintOf(`${exchange.body} ${refusal.message}`)),
    });
  },
};

async function sendModels(exchange: Exchange, body: unknown): Promise<void> {
  sendJson(exchange.response, 200, { body, headers: headersFor(fingerprintOf(JSON.stringify(body)), 0) });
}
