import type { Effort } from "./effort.ts";
import { fillPattern } from "./pattern-filler.ts";
import type { Length } from "./pattern-filler.ts";
import { between, pick } from "./random.ts";
import type { Random } from "./random.ts";
import type { JsonObject } from "../json.ts";

/** Longer strings are not made, whatever a schema asks for. */
const longest = 20_000;

const ownWords = [
  "amber",
  "brook",
  "cedar",
  "delta",
  "ember",
  "field",
  "grove",
  "harbor",
  "island",
  "jasper",
];

export type StringFilling = {
  readonly random: Random;
  /** Words of the prompt; the next one is for this string. */
  readonly word: string | undefined;
  readonly effort: Effort;
};

/** A string for a schema of type string. */
export function fillString(schema: JsonObject, filling: StringFilling): string {
  const made = stringFor(schema, filling);
  filling.effort.left -= made.length;
  return made;
}

function stringFor(schema: JsonObject, filling: StringFilling): string {
  const length = lengthOf(schema);
  const { pattern, format } = schema;
  if (typeof pattern === "string") {
    const made = fillPattern(pattern, length, filling);
    if (made !== undefined) return made;
  }
  const word = filling.word ?? pick(filling.random, ownWords, "amber");
  const make = typeof format === "string" && Object.hasOwn(formats, format) ? formats[format] : undefined;
  const formatted = make?.(filling.random, asciiOf(word));
  return formatted ?? fitted(word, length);
}

function lengthOf({ minLength, maxLength }: JsonObject): Length {
  const least = typeof minLength === "number" ? Math.min(minLength, longest) : 0;
  return { least, most: typeof maxLength === "number" ? maxLength : Number.POSITIVE_INFINITY };
}

/** Lengths are in code points, as JSON Schema counts them. */
function fitted(text: string, { least, most }: Length): string {
  const characters = Array.from(text);
  if (characters.length > most) return characters.slice(0, most).join("");
  const missing = least - characters.length;
  return missing > 0
    ? text + ` ${text}`.repeat(Math.ceil(missing / (characters.length + 1))).slice(0, missing)
    : text;
}

function asciiOf(word: string): string {
  const plain = word.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  return plain.replaceAll(/^-+|-+$/g, "").slice(0, 40) || "sample";
}

const two = (number: number): string => String(number).padStart(2, "0");
const dateOf = (random: Random): string =>
  `2026-${two(between(random, 1, 12))}-${two(between(random, 1, 28))}`;
const timeOf = (random: Random): string =>
  `${two(between(random, 0, 23))}:${two(between(random, 0, 59))}:${two(between(random, 0, 59))}Z`;
const hexOf = (random: Random, digits: number): string =>
  Array.from({ length: digits }, () => between(random, 0, 15).toString(16)).join("");

const uri = (_: Random, word: string): string => `https://example.com/${word}`;
const email = (_: Random, word: string): string => `${word}@example.com`;
const hostname = (_: Random, word: string): string => `${word}.example.com`;

const formats: Readonly<Record<string, (random: Random, word: string) => string>> = {
  "date-time": (random) => `${dateOf(random)}T${timeOf(random)}`,
  date: dateOf,
  time: timeOf,
  duration: (random) => `P${between(random, 1, 30)}D`,
  email,
  "idn-email": email,
  hostname,
  "idn-hostname": hostname,
  uri,
  url: uri,
  iri: uri,
  "uri-reference": uri,
  "iri-reference": uri,
  "uri-template": uri,
  // Addresses set aside for documentation: RFC 5737 and RFC 3849.
  ipv4: (random) => `192.0.2.${between(random, 1, 254)}`,
  ipv6: (random) => `2001:db8::${between(random, 1, 65_535).toString(16)}`,
  uuid: (random) =>
    `${hexOf(random, 8)}-${hexOf(random, 4)}-4${hexOf(random, 3)}-a${hexOf(random, 3)}-${hexOf(random, 12)}`,
  "json-pointer": (_, word) => `/${word}`,
  "relative-json-pointer": () => "0",
  regex: (_, word) => `^${word}$`,
  byte: (_, word) => Buffer.from(word).toString("base64"),
};
