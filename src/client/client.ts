import type { ChatRequest } from "../core/chat.ts";
import type { BalanceAnswer, ModelAnswer, ModelsAnswer, UsageAnswer, UsagePeriod } from "./answers.ts";
import type { ChatAnswer, ChatChunk } from "./chat-answers.ts";
import { chunksOf } from "./chat-stream.ts";
import { linkTo, segment } from "./link.ts";
import type { Link } from "./link.ts";
import { operatorClient } from "./operator-client.ts";
import type { OperatorClient } from "./operator-client.ts";
import { runClient } from "./run-client.ts";
import type { RunClient } from "./run-client.ts";
import { webhookClient } from "./webhook-client.ts";
import type { WebhookClient } from "./webhook-client.ts";

export type ClientSettings = {
  /** Address of the server, such as `http://127.0.0.1:8787`. */
  readonly baseUrl: string;
  /** A customer's key, or the operator token for what only the operator may. */
  readonly token: string | undefined;
  /** Ends whatever is running; what was running then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
};

/**
 * Our own API, typed. Every method throws `ClientError` for what the server refuses and `ServerUnreachable` when
 * nothing answers. Nothing is tried twice.
 */
export type Client = OperatorClient & {
  readonly models: {
    list(wish?: { readonly types?: readonly string[] }): Promise<ModelsAnswer>;
    /** By id or alias. */
    read(id: string): Promise<ModelAnswer>;
  };
  readonly chat: {
    complete(request: ChatRequest): Promise<ChatAnswer>;
    stream(request: ChatRequest): AsyncGenerator<ChatChunk, void, undefined>;
  };
  /** Of the key's account, in the key's mode. */
  balance(): Promise<BalanceAnswer>;
  usage(wish?: UsageWish): Promise<UsageAnswer>;
  readonly runs: RunClient;
  readonly webhooks: WebhookClient;
};

export type UsageWish = {
  readonly period?: UsagePeriod | undefined;
  /** Part of a model name. */
  readonly model?: string | undefined;
};

const chatPath = "/v1/chat/completions";

export function createClient({ baseUrl, token, signal }: ClientSettings): Client {
  const link = linkTo({ baseUrl, token, signal });
  return {
    ...operatorClient(link),
    models: modelsClient(link),
    runs: runClient(link),
    webhooks: webhookClient(link),
    chat: {
      complete: (request) =>
        link.ask<ChatAnswer>({ method: "POST", path: chatPath, body: { ...request, stream: false } }, [
          "choices",
        ]),
      async *stream(request) {
        const body = { ...request, stream: true };
        const response = await link.open({ method: "POST", path: chatPath, body });
        yield* chunksOf(response, { url: baseUrl, signal });
      },
    },
    balance: () =>
      link.ask<BalanceAnswer>({ method: "GET", path: "/v1/balance" }, ["mode", "available", "held"]),
    usage: ({ period, model } = {}) =>
      link.ask<UsageAnswer>({ method: "GET", path: "/v1/usage", query: { period, model } }, [
        "total",
        "by_model",
        "recent",
      ]),
  };
}

function modelsClient(link: Link): Client["models"] {
  return {
    list({ types } = {}) {
      const query = { types: types?.join(",") };
      return link.ask<ModelsAnswer>({ method: "GET", path: "/v1/models", query }, [
        "data",
        "available_types",
      ]);
    },
    async read(id) {
      // Slashes in an id stay as they are.
      const path = `/v1/models/${id.split("/").map(segment).join("/")}`;
      return link.ask<ModelAnswer>({ method: "GET", path }, ["id", "type", "prices"]);
    },
  };
}
