import { z } from "zod";
import type { JsonObject } from "../../core/json-object.ts";
import type { PageFormat } from "./page-formats.ts";
import { pageFormats } from "./page-formats.ts";
import { readInputs } from "../read-inputs.ts";
import { onePageOrSeveral } from "./page-address.ts";

export type ScrapeInputs = {
  /** With the name of the input that holds each. */
  readonly pages: readonly { readonly url: string; readonly param: string }[];
  /** They came as `urls`, and the answer is a list as well. */
  readonly isList: boolean;
  readonly wishes: ScrapeWishes;
};

export type ScrapeWishes = {
  readonly formats: readonly PageFormat[];
  readonly onlyMainContent: boolean;
  readonly includeTags: readonly string[];
  readonly excludeTags: readonly string[];
  readonly timeoutMs: number;
  /** After a page that is rendered has loaded. */
  readonly waitForMs: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly isMobile: boolean;
  /** True: with a browser. Undefined: if there is one and the page is empty without. */
  readonly render: boolean | undefined;
};

const mostUrls = 10;
const longestUrl = 4096;

/** Who asks, how it is sent, and whose session it is are ours to say: a run reads what anybody may read. */
const ownHeader =
  /^(?:cookie2?|authorization|host|user-agent|connection|upgrade|te|trailer|expect|forwarded|keep-alive|accept-encoding|transfer-encoding|(?:proxy|sec|content|x-forwarded)-.*)$/i;

const address = z.string().min(1).max(longestUrl);
const selectors = z.array(z.string().min(1).max(200)).max(50).default([]);

const usualTimeoutMs = 30_000;
const mostTimeoutMs = 120_000;
const mostWaitMs = 30_000;

function milliseconds(least: number, most: number) {
  return z.number().int().min(least).max(most).optional();
}

const schema = z.object({
  url: address.optional(),
  urls: z.array(address).min(1).max(mostUrls).optional(),
  formats: z
    .array(z.enum(pageFormats, { error: `Offered are ${pageFormats.join(", ")}.` }))
    .min(1)
    .default(["markdown"]),
  only_main_content: z.boolean().default(true),
  include_tags: selectors,
  exclude_tags: selectors,
  timeout_ms: milliseconds(1000, mostTimeoutMs),
  wait_for_ms: milliseconds(0, mostWaitMs),
  // As Firecrawl names them. Its bounds are wider: more than ours is as much as ours.
  timeout: milliseconds(1000, 300_000),
  wait_for: milliseconds(0, 60_000),
  mobile: z.boolean().default(false),
  render: z.boolean().optional(),
  headers: z
    .record(
      z
        .string()
        .regex(/^[\w!#$%&'*+.^`|~-]{1,100}$/, "A header's name is not valid.")
        .refine((name) => !ownHeader.test(name), "This header is not taken."),
      z.string().regex(/^[\x20-\x7e\t]{0,2000}$/, "A header's value is not valid."),
    )
    .refine((headers) => Object.keys(headers).length <= 20, "At most 20 headers.")
    .default({}),
});

export function scrapeInputs(inputs: JsonObject): ScrapeInputs {
  const read = readInputs(
    schema.refine(({ url, urls }) => (url === undefined) !== (urls === undefined), {
      message: onePageOrSeveral,
      path: ["url"],
    }),
    inputs,
  );
  const pages =
    read.url === undefined
      ? (read.urls ?? []).map((url, index) => ({ url, param: `urls.${index}` }))
      : [{ url: read.url, param: "url" }];
  return {
    pages,
    isList: read.url === undefined,
    wishes: {
      formats: read.formats,
      onlyMainContent: read.only_main_content,
      includeTags: read.include_tags,
      excludeTags: read.exclude_tags,
      timeoutMs: Math.min(read.timeout_ms ?? read.timeout ?? usualTimeoutMs, mostTimeoutMs),
      waitForMs: Math.min(read.wait_for_ms ?? read.wait_for ?? 0, mostWaitMs),
      headers: read.headers,
      isMobile: read.mobile,
      render: read.render,
    },
  };
}
