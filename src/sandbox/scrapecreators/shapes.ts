import { between, fingerprintOf, pick, randomFrom } from "../answers/random.ts";
import type { Random } from "../answers/random.ts";
import type { JsonObject } from "../json.ts";
import { sentencesOn, titleFrom } from "../web/prose.ts";
import type { Kind } from "./kinds.ts";

/** What is asked for: the platform, and the words it is asked with. */
export type Subject = {
  readonly platform: string;
  readonly handle: string;
  readonly topic: string;
  readonly seed: string;
};

const itemsPerAnswer = 5;

/** Made up in the manner of the platforms: members that most of them have, under the names that most of them give. */
export function shapeOf(kind: Kind, subject: Subject): JsonObject {
  const random = randomFrom(subject.seed);
  switch (kind.is) {
    case "account":
      return account(subject, random);
    case "transcript":
      return { transcript: sentencesOn(subject.topic, 6, subject.seed).join(" "), language: "en" };
    case "audience":
      return { audienceLocations: audience(random) };
    case "comments":
      return { [kind.list]: itemsOf(subject, comment), ...onwards(random) };
    case "list":
      return { [kind.list]: itemsOf(subject, thing), ...onwards(random) };
    case "thing":
      return thing(subject, random);
  }
}

type Maker = (subject: Subject, random: Random) => JsonObject;

function itemsOf(subject: Subject, make: Maker): readonly JsonObject[] {
  return Array.from({ length: itemsPerAnswer }, (_, at) => {
    const seed = fingerprintOf(`${subject.seed} ${at}`);
    return make({ ...subject, seed }, randomFrom(seed));
  });
}

function onwards(random: Random): JsonObject {
  return { cursor: String(between(random, 1_000_000, 9_999_999)), has_more: true };
}

function account({ platform, handle, topic, seed }: Subject, random: Random): JsonObject {
  return {
    id: String(between(random, 1_000_000_000, 9_999_999_999)),
    handle,
    name: titleFrom(handle),
    bio: sentencesOn(topic, 1, seed).join(" "),
    url: `https://www.${platform}.com/${handle}`,
    avatar_url: `https://cdn.example.com/${seed.slice(0, 16)}.jpg`,
    is_verified: random() < 0.5,
    follower_count: between(random, 100, 5_000_000),
    following_count: between(random, 1, 2_000),
    post_count: between(random, 1, 9_000),
  };
}

function thing({ platform, handle, topic, seed }: Subject, random: Random): JsonObject {
  const id = String(between(random, 1_000_000_000, 9_999_999_999));
  return {
    id,
    url: `https://www.${platform}.com/${handle}/${id}`,
    text: sentencesOn(topic, 2, seed).join(" "),
    created_at: `2026-0${between(random, 1, 9)}-1${between(random, 0, 9)}T12:00:00.000Z`,
    view_count: between(random, 1_000, 900_000),
    like_count: between(random, 10, 90_000),
    comment_count: between(random, 0, 4_000),
    share_count: between(random, 0, 2_000),
    thumbnail_url: `https://cdn.example.com/${seed.slice(0, 16)}.jpg`,
    author: { handle, name: titleFrom(handle) },
  };
}

function comment({ topic, seed }: Subject, random: Random): JsonObject {
  return {
    id: String(between(random, 1_000_000_000, 9_999_999_999)),
    text: sentencesOn(topic, 1, seed).join(" "),
    like_count: between(random, 0, 500),
    reply_count: between(random, 0, 20),
    created_at: `2026-0${between(random, 1, 9)}-01T12:00:00.000Z`,
    author: { handle: pick(random, ["ada", "grace", "alan", "edith"], "ada") },
  };
}

function audience(random: Random): readonly JsonObject[] {
  const first = between(random, 40, 70);
  const second = between(random, 10, 25);
  return [
    { country: "United States", countryCode: "US", percentage: `${first}%` },
    { country: "Germany", countryCode: "DE", percentage: `${second}%` },
    { country: "Japan", countryCode: "JP", percentage: `${100 - first - second}%` },
  ];
}
