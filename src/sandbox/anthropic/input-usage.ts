import type { IncomingHttpHeaders } from "node:http";
import type { Tokenizer } from "../answers/tokens.ts";
import { credentialOf } from "../exchange.ts";
import { isObject, objectsIn, stringOr } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { promptCache } from "./prompt-cache.ts";

/** Tokens that frame each message, and what a picture or a page of another kind counts. */
const tokensPerMessage = 3;
const tokensOfPicture = 1_000;
const tokensOfDocument = 1_500;

/** A stretch of the prompt that can be a cache breakpoint, in the order the prompt is read: tools, system, messages. */
export type Segment = {
  readonly texts: readonly string[];
  readonly besideText: number;
  /** How long the prompt up to here is to be cached; undefined where no mark is. */
  readonly keptFor: "5m" | "1h" | undefined;
  readonly block: unknown;
};

export type InputUsage = { readonly shown: JsonObject; readonly total: number };

/** Without headers nothing is cached or read from the cache: token counts are not calls. */
export async function inputUsage(
  request: JsonObject,
  tokenizer: Tokenizer,
  headers?: IncomingHttpHeaders,
): Promise<InputUsage> {
  const segments = segmentsOf(request);
  const tokensOf = async (from: number, to: number): Promise<number> => {
    const part = segments.slice(from, to);
    const beside = part.reduce((sum, segment) => sum + segment.besideText, 0);
    return beside + (await tokenizer.countAll(part.flatMap((segment) => segment.texts)));
  };
  const place =
    headers === undefined
      ? undefined
      : promptCache.visit(segments, `${credentialOf(headers)} ${stringOr(request["model"], "")}`);
  const { readTo, shortTo, longTo } = place ?? { readTo: 0, shortTo: 0, longTo: 0 };
  const read = await tokensOf(0, readTo);
  const long = await tokensOf(readTo, longTo);
  const short = await tokensOf(Math.max(readTo, longTo), shortTo);
  const rest = await tokensOf(Math.max(readTo, longTo, shortTo), segments.length);
  return {
    total: read + long + short + rest,
    shown: {
      input_tokens: rest,
      cache_creation_input_tokens: long + short,
      cache_read_input_tokens: read,
      cache_creation: { ephemeral_5m_input_tokens: short, ephemeral_1h_input_tokens: long },
    },
  };
}

function segmentsOf(request: JsonObject): readonly Segment[] {
  const segments: Segment[] = [];
  for (const tool of objectsIn(request["tools"])) {
    const { cache_control: mark, ...described } = tool;
    segments.push(segment(tool, [JSON.stringify(described)], { besideText: 0, mark }));
  }
  for (const block of blocksOf(request["system"])) segments.push(segmentOfBlock(block, 0));
  for (const { role, content } of objectsIn(request["messages"])) {
    for (const [at, block] of blocksOf(content).entries()) {
      segments.push(segmentOfBlock({ ...block, role }, at === 0 ? tokensPerMessage : 0));
    }
  }
  const last = segments.at(-1);
  const mark = request["cache_control"];
  if (last !== undefined && isObject(mark)) segments.splice(-1, 1, { ...last, keptFor: keptFor(mark) });
  return segments;
}

function blocksOf(content: unknown): readonly JsonObject[] {
  return typeof content === "string" ? [{ type: "text", text: content }] : objectsIn(content);
}

function segmentOfBlock(block: JsonObject, framing: number): Segment {
  const { texts, besideText } = sizeOf(block);
  return segment(block, texts, { besideText: besideText + framing, mark: block["cache_control"] });
}

type Marked = { readonly besideText: number; readonly mark: unknown };

function segment(block: JsonObject, texts: readonly string[], { besideText, mark }: Marked): Segment {
  const { cache_control: _, ...unmarked } = block;
  return { texts, besideText, keptFor: keptFor(mark), block: unmarked };
}

function keptFor(mark: unknown): Segment["keptFor"] {
  if (!isObject(mark)) return undefined;
  return mark["ttl"] === "1h" ? "1h" : "5m";
}

function sizeOf(block: JsonObject): { readonly texts: readonly string[]; readonly besideText: number } {
  switch (block["type"]) {
    case "text":
      return { texts: [stringOr(block["text"], "")], besideText: 0 };
    case "thinking":
      return { texts: [stringOr(block["thinking"], "")], besideText: 0 };
    case "tool_use":
      return { texts: [stringOr(block["name"], ""), JSON.stringify(block["input"] ?? {})], besideText: 0 };
    case "tool_result": {
      const sizes = blocksOf(block["content"]).map(sizeOf);
      return {
        texts: sizes.flatMap(({ texts }) => texts),
        besideText: sizes.reduce((sum, { besideText }) => sum + besideText, 0),
      };
    }
    case "image":
      return { texts: [], besideText: tokensOfPicture };
    case "document": {
      const source = isObject(block["source"]) ? block["source"] : {};
      const text = source["type"] === "text" ? stringOr(source["data"], "") : undefined;
      return {
        texts: text === undefined ? [] : [text],
        besideText: text === undefined ? tokensOfDocument : 0,
      };
    }
    default:
      return { texts: [JSON.stringify(block)], besideText: 0 };
  }
}
