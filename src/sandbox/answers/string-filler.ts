import type { Effort } from "./effort.ts";
import { fillPattern } from "./pattern-filler.ts";
import type { Length } from "./pattern-filler.ts";
import { between, pick } from "./random.ts";
import type { Random } from "./random.ts";
import type { JsonObject } from "../json.ts";

/** Longer strings are not made, whatever a schema asks for. */
const longest = 20_000;
const triesPerPattern = 20;

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
  const { pattern } = schema;
  const format = formatNamed(schema["format"]);
  if (typeof pattern === "string" && !(format !== undefined && looksAhead(pattern))) {
    const made = patterned(pattern, { length, looks: format?.looks }, filling);
    if (made !== undefined) return made;
  }
  const word = filling.word ?? pick(filling.random, ownWords, "amber");
  return format === undefined ? fitted(word, length) : formatted(format.make, length, { ...filling, word });
}

type Wanted = { readonly length: Length; readonly looks: RegExp | undefined };

/** A pattern says less than the format beside it, as in zod's dates: what it allows is tried until it looks like both. */
function patterned(pattern: string, { length, looks }: Wanted, filling: StringFilling): string | undefined {
  for (let tries = 0; tries < triesPerPattern; tries += 1) {
    const made = fillPattern(pattern, length, filling);
    if (made === undefined || looks === undefined || looks.test(made)) return made;
  }
  return undefined;
}

/** Such a pattern can only be guessed at; a format is surer. */
function looksAhead(pattern: string): boolean {
  return pattern.includes("(?!") || pattern.includes("(?=");
}

function formatted(make: Make, { least, most }: Length, { random, word }: StringFilling): string {
  const plain = asciiOf(word ?? "sample");
  const made = make(random, plain, usualHost);
  if (made.length < least) return make(random, longer(plain, least - made.length), usualHost);
  if (made.length <= most) return made;
  const left = plain.length - (made.length - most);
  if (left > 0) return make(random, asciiOf(plain.slice(0, left)), usualHost);
  const saved = usualHost.length - shortHost.length;
  return make(random, asciiOf(plain.slice(0, Math.max(left + saved, 1))), shortHost);
}

function longer(word: string, by: number): string {
  const length = word.length + by;
  return `${word}-`
    .repeat(Math.ceil(length / word.length))
    .slice(0, length)
    .replace(/-$/, "x");
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

/** Set aside for examples and tests: RFC 2606. */
const usualHost = "example.com";
const shortHost = "a.test";

type Make = (random: Random, word: string, host: string) => string;
type Format = { readonly make: Make; readonly looks: RegExp | undefined };

const uri: Make = (_, word, host) => `https://${host}/${word}`;
const email: Make = (_, word, host) => `${word}@${host}`;
const hostname: Make = (_, word, host) => `${word}.${host}`;

function formatNamed(name: unknown): Format | undefined {
  if (typeof name !== "string") return undefined;
  const make = Object.hasOwn(formats, name) ? formats[name] : undefined;
  return make === undefined ? undefined : { make, looks: forms.get(name) };
}

/** Formats of which a pattern beside them often allows more. */
const forms: ReadonlyMap<string, RegExp> = new Map([
  ["date-time", /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/],
  ["time", /^\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/],
]);

const formats: Readonly<Record<string, Make>> = {
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
