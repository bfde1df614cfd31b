import type { ChatRequest } from "../../core/chat.ts";
import { isJsonObject } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";
import { Problem } from "../../core/problems.ts";
import type { Target } from "../wire.ts";

/** What every part of the translation of one request reads, and where it tells what it left out. */
export type Conversion = {
  /** Without the members this provider does not take. */
  readonly request: ChatRequest;
  readonly target: Target;
  readonly dropped: Set<string>;
  /** Members whose value is another one upstream. */
  readonly changed: Set<string>;
};

/** One content block on Anthropic's wire. */
export type Block = JsonObject;

export function refused(param: string, message: string): Problem {
  return new Problem("invalid_request", { param, message });
}

/**
 * The `cache_control` of a message part, a tool or the request. Its `ttl` is left out: an hour's cache costs more than
 * the one meter for cache writes charges.
 * https://platform.claude.com/docs/en/build-with-claude/prompt-caching
 */
export function cacheMark(holder: object, dropped: Set<string>): Block {
  if (!("cache_control" in holder) || !isJsonObject(holder.cache_control)) return {};
  const { type, ttl } = holder.cache_control;
  if (type !== "ephemeral") {
    dropped.add("cache_control");
    return {};
  }
  if (ttl !== undefined && ttl !== null && ttl !== "5m") dropped.add("cache_control.ttl");
  return { cache_control: { type } };
}
