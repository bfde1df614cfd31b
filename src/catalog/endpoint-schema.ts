import { z } from "zod";
import type { Endpoint, EndpointQuestion, Expression } from "../core/endpoint.ts";

/** The form of a run's endpoint in the files, see `core/endpoint.ts`. Expressions are checked where they are compiled. */

/** What `JSON.parse` made is JSON: walking it again would cost more than all the rest of the reading. */
const expression = z.custom<Expression>((value) => value !== undefined, "is missing");
const table = z.record(z.string(), expression).default({});
const method = z.enum(["GET", "POST", "PUT", "PATCH", "DELETE"]);
const path = z.string().regex(/^\/\S*$/, "want a path that begins with a slash");
const milliseconds = z.number().int().min(1).max(86_400_000);

const questionMembers = {
  method: method.default("GET"),
  url: expression.optional(),
  path: path.optional(),
  query: table,
};
const question = z
  .strictObject(questionMembers)
  .refine((given) => (given.url === undefined) !== (given.path === undefined), "want either a url or a path");

const polling = z.strictObject({
  skip_when: expression.optional(),
  poll: question,
  status: expression,
  done: z.array(z.string()).min(1),
  failed: z.array(z.string()).default([]),
  message: expression.optional(),
  progress: expression.optional(),
  interval_ms: milliseconds.default(1_000),
  backoff: z.number().min(1).max(10).default(1.3),
  max_interval_ms: milliseconds.default(10_000),
  max_ms: milliseconds.default(900_000),
  cancel: question.optional(),
  webhook: z
    .strictObject({
      in: z.enum(["body", "query"]),
      parameter: z.string().min(1),
    })
    .optional(),
});

const fetch = z
  .strictObject({
    ...questionMembers,
    when: expression.optional(),
    as: z.string().regex(/^[a-z][a-z0-9_]*$/, "want a name such as result"),
    pages: z
      .strictObject({
        next: expression,
        items: expression,
        max_pages: z.number().int().min(1).max(1_000).default(20),
      })
      .optional(),
  })
  .refine((given) => (given.url === undefined) !== (given.path === undefined), "want either a url or a path");

const faultKind = z.enum([
  "rejected",
  "content",
  "credential",
  "busy",
  "unavailable",
  "failed",
  "unreadable",
]);

const endpoint = z.strictObject({
  request: z.strictObject({
    method: method.default("POST"),
    path,
    encoding: z.enum(["json", "form", "multipart", "raw", "none"]).default("json"),
    query: table,
    headers: table,
    body: expression.default(null),
  }),
  inline: z
    .record(z.string(), z.array(z.string().regex(/^\w+\/[\w.+-]+$/, "want a media type")).min(1))
    .default({}),
  repeatable: z.boolean().default(false),
  errors: z
    .strictObject({
      when: expression.optional(),
      message: expression.optional(),
      code: expression.optional(),
      codes: z.record(z.string(), faultKind).default({}),
      words: z.record(z.string().min(4), faultKind).default({}),
    })
    .prefault({}),
  polling: polling.optional(),
  fetches: z.array(fetch).default([]),
  output: expression,
  empty_when: expression.optional(),
  meters: z
    .array(
      z.strictObject({ meter: z.string(), reserve: expression.default(1), quantity: expression.optional() }),
    )
    .min(1, "an endpoint meters something"),
});

/** The members of an offer that is served by an endpoint. */
export const endpointFacts = endpoint.shape;

export type EndpointFacts = z.output<typeof endpoint>;

export function endpointOf(facts: EndpointFacts): Endpoint {
  const { errors } = facts;
  return {
    request: facts.request,
    inline: facts.inline,
    repeatable: facts.repeatable,
    errors: {
      when: errors.when,
      message: errors.message,
      code: errors.code,
      codes: errors.codes,
      words: errors.words,
    },
    polling: facts.polling === undefined ? undefined : pollingOf(facts.polling),
    fetches: facts.fetches.map((one) => ({
      ...questionOf(one),
      when: one.when,
      as: one.as,
      pages:
        one.pages === undefined
          ? undefined
          : { next: one.pages.next, items: one.pages.items, maxPages: one.pages.max_pages },
    })),
    output: facts.output,
    emptyWhen: facts.empty_when,
    meters: facts.meters.map((one) => ({
      meter: one.meter,
      reserve: one.reserve,
      quantity: one.quantity,
    })),
  };
}

function pollingOf(facts: NonNullable<EndpointFacts["polling"]>): NonNullable<Endpoint["polling"]> {
  return {
    skipWhen: facts.skip_when,
    poll: questionOf(facts.poll),
    status: facts.status,
    done: facts.done,
    failed: facts.failed,
    message: facts.message,
    progress: facts.progress,
    intervalMs: facts.interval_ms,
    backoff: facts.backoff,
    maxIntervalMs: facts.max_interval_ms,
    maxMs: facts.max_ms,
    cancel: facts.cancel === undefined ? undefined : questionOf(facts.cancel),
    webhook: facts.webhook,
  };
}

function questionOf(facts: z.output<typeof question>): EndpointQuestion {
  return { method: facts.method, url: facts.url, path: facts.path, query: facts.query };
}
