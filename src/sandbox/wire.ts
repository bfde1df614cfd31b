import type { Door, Exchange } from "./exchange.ts";
import type { Refusal } from "./refusal.ts";

/** One vendor's protocol: what can be asked there, and how it says no. */
export type Wire = {
  /** By method and path below the provider's part, `POST /v1/messages`; undefined when there is no such door. */
  door(method: string, path: string): Door | undefined;
  refuse(exchange: Exchange, refusal: Refusal): void;
};
