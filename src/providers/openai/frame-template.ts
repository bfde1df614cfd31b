import { isJsonObject } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";
import { outputOf } from "./choice-output.ts";

const contentSlot = "slot-of-the-content";
const paddingSlot = "slot-of-the-padding";
const quote = 0x22;
const backslash = 0x5c;
const shortEscapes: ReadonlySet<number> = new Set(Buffer.from('"\\/bfnrt'));

/** A frame in two forms: the upstream's around its slots, and ours around the same slots. */
type Parts = { readonly prefix: string; readonly suffix: string; readonly tail: string | undefined };

/** Members whose string changes from frame to frame. */
const slots = ["content", "reasoning_content", "reasoning", "arguments"] as const;

/**
 * A frame whose text but for one string (and OpenAI's random `obfuscation`) is known. A later frame with the same text
 * around another valid string is the same structure with another output: nothing else can differ, so it is written
 * without being parsed.
 */
export class FrameTemplate {
  readonly #given: Parts;
  readonly #ours: Parts;

  private constructor(given: Parts, ours: Parts) {
    this.#given = given;
    this.#ours = ours;
  }

  /**
   * `forward` writes a frame as the customer gets it, undefined when it cannot be written. Undefined when this frame is no
   * good as a template.
   */
  static of(
    frame: string,
    parsed: JsonObject,
    forward: (frame: string, parsed: JsonObject) => string | undefined,
  ): FrameTemplate | undefined {
    if (outputOfOnlyChoice(parsed) === "") return undefined;
    const hasPadding = typeof parsed["obfuscation"] === "string";
    for (const slot of slots) {
      const given = partsAround(frame, slot, hasPadding);
      if (given === undefined) continue;
      const probe = filled(given);
      const proof = provenBy(probe, given);
      if (proof === undefined) continue;
      const ours = partsIn(forward(probe, proof) ?? "");
      const isWhole = ours !== undefined && (ours.tail === undefined) === (given.tail === undefined);
      return isWhole ? new FrameTemplate(detached(given), detached(ours)) : undefined;
    }
    return undefined;
  }

  /** The JSON text in the slot, without quotes, when the frame is of this structure. */
  contentOf(frame: string): string | undefined {
    const { prefix, suffix, tail } = this.#given;
    if (!isAt(frame, 0, prefix)) return undefined;
    const end = endOfString(frame, prefix.length);
    if (end === -1 || !isAt(frame, end, suffix)) return undefined;
    const rest = end + suffix.length;
    if (tail === undefined) {
      if (rest !== frame.length) return undefined;
    } else {
      const paddingEnd = endOfString(frame, rest);
      const isSame =
        paddingEnd !== -1 && paddingEnd + tail.length === frame.length && isAt(frame, paddingEnd, tail);
      if (!isSame) return undefined;
    }
    return frame.slice(prefix.length, end);
  }

  /** The frame as the customer gets it; `content` is what `contentOf` found in it. */
  written(frame: string, content: string): string {
    const { prefix, suffix, tail } = this.#ours;
    if (tail === undefined || this.#given.tail === undefined) return prefix + content + suffix;
    const start = this.#given.prefix.length + content.length + this.#given.suffix.length;
    const padding = frame.slice(start, frame.length - this.#given.tail.length);
    return prefix + content + suffix + padding + tail;
  }
}

/** Ten times faster than `startsWith`, which compares cut-out strings one character at a time. */
function isAt(text: string, at: number, part: string): boolean {
  return text.slice(at, at + part.length) === part;
}

/** The position of the closing quote; -1 when the text is not valid, and when it has \u escapes. */
function endOfString(text: string, start: number): number {
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) return at;
    if (code < 0x20) return -1;
    if (code === backslash && !shortEscapes.has(text.charCodeAt(++at))) return -1;
  }
  return -1;
}

function outputOfOnlyChoice(parsed: JsonObject): string {
  const choices: unknown = parsed["choices"];
  const choice: unknown = Array.isArray(choices) && choices.length === 1 ? choices[0] : undefined;
  return isJsonObject(choice) ? outputOf(choice["delta"]) : "";
}

function partsAround(frame: string, slot: string, hasPadding: boolean): Parts | undefined {
  const content = stringOf(frame, slot, 0);
  if (content === undefined) return undefined;
  const prefix = frame.slice(0, content.start);
  const padding = hasPadding ? stringOf(frame, "obfuscation", content.end) : undefined;
  if (padding === undefined) return { prefix, suffix: frame.slice(content.end), tail: undefined };
  return { prefix, suffix: frame.slice(content.end, padding.start), tail: frame.slice(padding.end) };
}

/** Where what looks like the string of a member lies; a guess that `isProven` must confirm. */
function stringOf(frame: string, member: string, from: number): { start: number; end: number } | undefined {
  const name = frame.indexOf(`"${member}"`, from);
  if (name === -1) return undefined;
  const afterName = name + member.length + 2;
  const opening = /^\s*:\s*"/.exec(frame.slice(afterName, afterName + 10));
  if (opening === null) return undefined;
  const start = afterName + opening[0].length;
  const end = endOfString(frame, start);
  return end === -1 ? undefined : { start, end };
}

function filled({ prefix, suffix, tail }: Parts): string {
  return prefix + contentSlot + suffix + (tail === undefined ? "" : paddingSlot + tail);
}

/**
 * A slot's name occurs once in the text. When the whole output is just this name, then its string literal begins where
 * the prefix ends and ends where the suffix begins; likewise the padding. Returns what the text was parsed as.
 */
function provenBy(probe: string, { tail }: Parts): JsonObject | undefined {
  if (occursTwice(probe, contentSlot) || occursTwice(probe, paddingSlot)) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(probe);
  } catch {
    return undefined;
  }
  if (!isJsonObject(parsed) || outputOfOnlyChoice(parsed) !== contentSlot) return undefined;
  return tail === undefined || parsed["obfuscation"] === paddingSlot ? parsed : undefined;
}

function occursTwice(text: string, part: string): boolean {
  return text.indexOf(part) !== text.lastIndexOf(part);
}

/** The text around the slots; undefined when a slot is missing or there twice. */
function partsIn(written: string): Parts | undefined {
  const [prefix, rest, ...more] = written.split(contentSlot);
  if (prefix === undefined || rest === undefined || more.length > 0) return undefined;
  const [suffix, tail, ...others] = rest.split(paddingSlot);
  return suffix === undefined || others.length > 0 ? undefined : { prefix, suffix, tail };
}

/** Copies: slices would keep the whole read in memory that they were cut from. */
function detached({ prefix, suffix, tail }: Parts): Parts {
  const copy = (text: string): string => Buffer.from(text, "latin1").toString("latin1");
  return { prefix: copy(prefix), suffix: copy(suffix), tail: tail === undefined ? undefined : copy(tail) };
}
