import { isJsonObject } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";
import { shapeOf } from "../foreign-text.ts";
import type { AnswerView, WholeAnswer } from "../wire.ts";
import { UnreadableAnswer } from "../wire.ts";
import { parseObject, textOf } from "./exact-json.ts";
import { faultOfError, unreadable } from "./fault.ts";
import { finishReasonOf, refusalOf, silentRefusal } from "./finish.ts";
import { redactedThinking, signedThinking } from "./reasoning-details.ts";
import { jsonHelperName } from "./structured-output.ts";
import { mergeCounts, reportedUsageOf } from "./usage.ts";

type Call = { readonly id: string; readonly name: string; readonly input: string };

/** What the content blocks of an answer hold, in OpenAI's terms. */
type Content = {
  readonly text: string[];
  readonly json: string[];
  readonly thinking: string[];
  readonly details: JsonObject[];
  readonly calls: Call[];
};

/** A whole answer of Anthropic Messages as an OpenAI `chat.completion`. Throws `UnreadableAnswer`. */
export function wholeAnswer(bytes: Buffer, view: AnswerView): WholeAnswer {
  const message = messageOf(bytes);
  const content = contentOf(message.content);
  const stopReason = textOf(message.whole["stop_reason"]);
  const refusal = refusalOf(stopReason, message.whole["stop_details"]);
  const text = content.json[0] ?? content.text.join("");
  const finish = finishReasonOf(stopReason, content.calls.length > 0);
  const choice = {
    index: 0,
    message: openaiMessage(content, text, refusal),
    logprobs: null,
    finish_reason: finish,
  };
  const { id, created, model } = view;
  const whole = JSON.stringify({ id, object: "chat.completion", created, model, choices: [choice] });
  const usage = reportedUsageOf(mergeCounts({}, message.whole["usage"]));
  const hasText = text !== "" || content.thinking.some((thinking) => thinking !== "");
  const hasOutput = hasText || content.calls.length > 0 || refusal !== undefined;
  const ranOut = finish === "length";
  return {
    members: whole.slice(1, -1),
    usage,
    hasOutput,
    ranOut,
    outputText: () => outputText(content, text, refusal),
  };
}

function messageOf(bytes: Buffer): { readonly whole: JsonObject; readonly content: readonly unknown[] } {
  const text = bytes.toString("utf8");
  const whole = parseObject(text);
  if (whole === undefined) throw new UnreadableAnswer(unreadable(`not a JSON object: ${shapeOf(text)}`));
  if (whole["type"] === "error") throw new UnreadableAnswer(faultOfError(whole["error"]));
  const content: unknown = whole["content"];
  if (!Array.isArray(content)) throw new UnreadableAnswer(unreadable("a message without content"));
  return { whole, content };
}

function contentOf(blocks: readonly unknown[]): Content {
  const content: Content = { text: [], json: [], thinking: [], details: [], calls: [] };
  for (const [index, block] of blocks.entries()) if (isJsonObject(block)) addBlock(content, block, index);
  return content;
}

function addBlock(content: Content, block: JsonObject, index: number): void {
  switch (block["type"]) {
    case "text":
      content.text.push(textOf(block["text"]) ?? "");
      return;
    case "thinking": {
      const thinking = textOf(block["thinking"]) ?? "";
      const signature = textOf(block["signature"]) ?? "";
      content.thinking.push(thinking);
      if (signature !== "") content.details.push(signedThinking(index, thinking, signature));
      return;
    }
    case "redacted_thinking":
      content.details.push(redactedThinking(index, textOf(block["data"]) ?? ""));
      return;
    case "tool_use":
      addCall(content, block);
  }
}

function addCall(content: Content, block: JsonObject): void {
  const name = textOf(block["name"]) ?? "";
  const input = JSON.stringify(isJsonObject(block["input"]) ? block["input"] : {});
  if (name === jsonHelperName) content.json.push(input);
  else content.calls.push({ id: textOf(block["id"]) ?? "", name, input });
}

function openaiMessage(content: Content, text: string, refusal: string | undefined): JsonObject {
  const isCallOnly = text === "" && content.calls.length > 0 && refusal === undefined;
  const thinking = content.thinking.join("");
  return {
    role: "assistant",
    content: isCallOnly ? null : text,
    refusal: refusal === "" ? silentRefusal : (refusal ?? null),
    ...(thinking === "" ? {} : { reasoning_content: thinking }),
    ...(content.details.length === 0 ? {} : { reasoning_details: content.details }),
    ...(content.calls.length === 0 ? {} : { tool_calls: content.calls.map(openaiCall) }),
  };
}

function openaiCall({ id, name, input }: Call): JsonObject {
  return { id, type: "function", function: { name, arguments: input } };
}

function outputText(content: Content, text: string, refusal = ""): string {
  const calls = content.calls.map(({ name, input }) => name + input);
  return [...content.thinking, text, ...calls, refusal].join("");
}
