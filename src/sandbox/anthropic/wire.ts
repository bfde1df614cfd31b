import { fingerprintOf } from "../answers/random.ts";
import { modelIdIn, sendJson } from "../exchange.ts";
import type { Exchange } from "../exchange.ts";
import type { Refusal } from "../refusal.ts";
import type { Wire } from "../wire.ts";
import { errorBody } from "./errors.ts";
import { headersFor, refusalHeaders } from "./headers.ts";
import { answerMessage, countTokens } from "./messages.ts";
import { modelNamed, models } from "./models.ts";
import { checkVersion } from "./versions.ts";

export const anthropicWire: Wire = {
  door(method, path) {
    if (method === "POST" && path === "/v1/messages") return answerMessage;
    if (method === "POST" && path === "/v1/messages/count_tokens") return countTokens;
    if (method !== "GET") return undefined;
    if (path === "/v1/models") return async (exchange) => sendModels(exchange, models());
    const id = modelIdIn(path);
    if (id === undefined) return undefined;
    return async (exchange) => sendModels(exchange, modelNamed(id));
  },
  refuse(exchange: Exchange, refusal: Refusal) {
    const fingerprint = fingerprintOf(`${exchange.body} ${refusal.message}`);
    const headers = refusalHeaders(refusal.status, fingerprint, exchange.now());
    sendJson(exchange.response, refusal.status, {
      body: { ...errorBody(refusal.status, refusal.message), request_id: headers["request-id"] },
      headers,
    });
  },
};

async function sendModels(exchange: Exchange, body: unknown): Promise<void> {
  checkVersion(exchange.headers);
  const headers = headersFor(fingerprintOf(JSON.stringify(body)), 0, exchange.now());
  sendJson(exchange.response, 200, { body, headers });
}
