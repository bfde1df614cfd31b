import assert from "node:assert/strict";
import { z } from "zod";

/** Where the known clients look for the result of a run, by the category of its model. */

const url = z.url({ protocol: /^https?$/ });
const text = z.string().min(1);
const some = <Item extends z.ZodType>(item: Item) => z.array(item).min(1);
const audio = z.looseObject({ audio_url: url, audio: z.looseObject({ url }) });

const outputs: Readonly<Record<string, z.ZodType>> = {
  image: z.looseObject({
    image_url: url,
    data: some(z.looseObject({ url })),
    generated_images: some(url),
    images: some(z.looseObject({ url })),
  }),
  video: z.looseObject({
    video_url: url,
    videos: some(url),
    generatedSamples: some(z.looseObject({ video: z.looseObject({ uri: url }) })),
  }),
  tts: audio,
  music: audio,
  sound: audio,
  stt: z.looseObject({ text }),
  embedding: z.looseObject({
    data: some(
      z.looseObject({ object: z.literal("embedding"), index: z.int(), embedding: some(z.number()) }),
    ),
  }),
  rerank: z.looseObject({ results: some(z.looseObject({ index: z.int(), relevance_score: z.number() })) }),
  search: z.union([
    z.looseObject({ results: some(z.looseObject({ url })) }),
    z.looseObject({ content: text }),
  ]),
  scraper: z.union([
    z.looseObject({ markdown: text, data: z.looseObject({ markdown: text }) }),
    z.looseObject({ pages: some(z.looseObject({ markdown: text })), total: z.int() }),
    z.looseObject({ links: some(z.unknown()) }),
    z.looseObject({ items: some(z.unknown()), total: z.int() }),
  ]),
  document: z.union([
    z.looseObject({ result: z.union([z.looseObject({}), some(z.looseObject({}))]) }),
    z.looseObject({ pages: some(z.looseObject({ markdown: text })) }),
  ]),
  presentation: z.looseObject({ generationId: text, gammaUrl: url }),
  email: z.union([
    z.looseObject({ message_id: text }),
    z.looseObject({ data: z.looseObject({ email: text }) }),
  ]),
  sms: z.union([z.looseObject({ message_id: text }), z.looseObject({ verification_id: text })]),
  payments: z.looseObject({ url }),
  // What the networks have is as different as they are.
  social_data: z.looseObject({}),
};

export function assertOutputOf(category: string, output: object): void {
  const schema = outputs[category];
  assert.ok(schema !== undefined, `${category} has no form`);
  const read = schema.safeParse(output);
  assert.ok(read.success, read.success ? "" : `${z.prettifyError(read.error)} in ${JSON.stringify(output)}`);
}

const media: Readonly<Record<string, readonly [member: string, type: RegExp]>> = {
  image: ["image_url", /^image\//],
  video: ["video_url", /^video\//],
  tts: ["audio_url", /^audio\//],
  music: ["audio_url", /^audio\//],
  sound: ["audio_url", /^audio\//],
};

/** What lies at the address of a result can be had without a key, and is what it says. */
export async function assertDownloads(
  category: string,
  output: Readonly<Record<string, unknown>>,
): Promise<void> {
  const expected = media[category];
  if (expected === undefined) return;
  const [member, type] = expected;
  const response = await fetch(String(output[member]));
  assert.equal(response.status, 200);
  assert.match(response.headers.get("content-type") ?? "", type);
  assert.ok((await response.arrayBuffer()).byteLength > 0);
}
