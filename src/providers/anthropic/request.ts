import { createHash } from "node:crypto";
import type { ChatCall, ChatRequest } from "../../core/chat.ts";
import type { Problem } from "../../core/problems.ts";
import { addressedFile } from "../addressed-file.ts";
import { hasNoEffect } from "../no-effect.ts";
import { refusalFor } from "../request-refusal.ts";
import type { Target, WireRequest } from "../wire.ts";
import { conversationOf } from "./conversation.ts";
import { cacheMark } from "./conversion.ts";
import type { Block, Conversion } from "./conversion.ts";
import { jsonOutputOf } from "./structured-output.ts";
import { thinkingOf } from "./thinking.ts";
import { toolUseOf } from "./tools.ts";

/** Where and how; https://platform.claude.com/docs/en/api/versioning. The later version refuses all sampling. */
const path = "/v1/messages";
const headers = { "content-type": "application/json", "anthropic-version": "2023-06-01" };

/** Members without which there is no request; a provider's list of what it takes does not concern them. */
const essential = ["model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens"];

/** All members that this wire carries or answers for. Every other member is dropped and named. */
const carried: ReadonlySet<string> = new Set(
  essential.concat(
    ["temperature", "top_p", "top_k", "n", "stop", "user", "safety_identifier"],
    ["tools", "tool_choice", "parallel_tool_calls", "response_format"],
    ["reasoning_effort", "thinking", "cache_control"],
  ),
);

/** What Messages has no word for and cannot do without. */
export function messagesRefusal(request: ChatRequest): Problem | undefined {
  return refusalFor(request, () => false) ?? addressedFile(request);
}

/** An OpenAI chat request as one of Anthropic Messages. */
export function messagesRequest(call: ChatCall, target: Target): WireRequest {
  const refusal = messagesRefusal(call.request);
  if (refusal !== undefined) throw refusal;
  const dropped = new Set<string>();
  const changed = new Set<string>();
  const conversion: Conversion = { request: taken(call.request, target, dropped), target, dropped, changed };
  const body = JSON.stringify(bodyOf(conversion, call));
  return { path, headers, body, dropped: [...dropped], changed: [...changed] };
}

function taken(request: ChatRequest, target: Target, dropped: Set<string>): ChatRequest {
  const left = { ...request };
  for (const [member, value] of Object.entries(request)) {
    const isTaken = target.accepts?.has(member) ?? true;
    if (essential.includes(member) || isTaken || target.extraParameters.has(member)) {
      if (carried.has(member)) continue;
    }
    Reflect.deleteProperty(left, member);
    if (!hasNoEffect(member, value)) dropped.add(member);
  }
  return left;
}

function bodyOf(conversion: Conversion, call: ChatCall): Block {
  const { request, target, dropped } = conversion;
  const { system, turns } = conversationOf(conversion);
  const { format, helper, instruction } = jsonOutputOf(conversion);
  const { tools, choice, isForced } = toolUseOf(conversion, { helper, turns });
  const circumstances = { maxTokens: call.maxTokens, isToolForced: isForced, turns };
  const { thinking, effort, maxTokens } = thinkingOf(conversion, circumstances);
  const instructions = instruction === undefined ? system : [...system, { type: "text", text: instruction }];
  return {
    model: target.upstreamModel,
    max_tokens: maxTokens,
    ...(instructions.length === 0 ? {} : { system: instructions }),
    messages: turns,
    ...(tools.length === 0 ? {} : { tools, tool_choice: choice }),
    ...(call.stream ? { stream: true } : {}),
    ...(format === undefined && effort === undefined ? {} : { output_config: { effort, format } }),
    ...(thinking === undefined ? {} : { thinking }),
    ...samplingOf(conversion, thinking !== undefined && thinking["type"] !== "disabled"),
    ...stopOf(conversion),
    ...customerOf(conversion),
    ...cacheMark(request, dropped),
  };
}

function samplingOf({ request, target, dropped, changed }: Conversion, isThinking: boolean): Block {
  const { temperature, top_p: topP, top_k: topK } = request;
  const wanted = Object.entries({ temperature, top_p: topP, top_k: topK }).filter(
    ([, value]) => value !== undefined && value !== null,
  );
  if (!target.capabilities.sampling || isThinking) {
    for (const [member, value] of wanted) if (!hasNoEffect(member, value)) dropped.add(member);
    return {};
  }
  const sampling = Object.fromEntries(wanted);
  // Newer models of version 2023-06-01 take only one of the two; OpenAI's advice is to set only one as well.
  if (sampling["temperature"] !== undefined && sampling["top_p"] !== undefined) {
    delete sampling["top_p"];
    if (!hasNoEffect("top_p", topP)) dropped.add("top_p");
  }
  // OpenAI's scale ends at 2, Anthropic's at 1: https://platform.claude.com/docs/en/api/messages
  if (typeof temperature === "number" && temperature > 1) {
    sampling["temperature"] = 1;
    changed.add("temperature");
  }
  return sampling;
}

/** Stop sequences of white space only are refused: https://platform.claude.com/docs/en/api/messages */
function stopOf({ request, dropped }: Conversion): Block {
  const stop = typeof request.stop === "string" ? [request.stop] : (request.stop ?? []);
  const sequences = stop.filter((sequence) => sequence.trim() !== "");
  if (sequences.length < stop.length) dropped.add("stop");
  return sequences.length === 0 ? {} : { stop_sequences: sequences };
}

/** Whoever the customer's user is, the provider learns only that it is the same one as before. */
function customerOf({ request }: Conversion): Block {
  const { safety_identifier: identifier, user } = request;
  const name = typeof identifier === "string" && identifier !== "" ? identifier : user;
  if (typeof name !== "string" || name === "") return {};
  return { metadata: { user_id: createHash("sha256").update(name).digest("hex").slice(0, 32) } };
}
