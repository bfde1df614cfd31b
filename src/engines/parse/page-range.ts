import { z } from "zod";
import { Problem } from "../../core/problems.ts";
import { documentFault } from "./document-fault.ts";

/** First and last page, counted from 1. */
export type PageSpan = { readonly start: number; readonly end: number };

const page = z.number().int().min(1).max(1_000_000);
const span = z
  .object({ start: page.optional(), end: page.optional() })
  .transform(({ start, end }): PageSpan => ({ start: start ?? 1, end: end ?? Number.MAX_SAFE_INTEGER }));
const single = page.transform((number): PageSpan => ({ start: number, end: number }));
const text = z
  .string()
  .max(500)
  .regex(
    /^\s*\d{1,6}\s*(?:-\s*\d{1,6}\s*)?(?:,\s*\d{1,6}\s*(?:-\s*\d{1,6}\s*)?)*$/,
    "Write pages as `1-3,7`.",
  )
  .transform((list) =>
    list.split(",").map((part): PageSpan => {
      const [start = 1, end = start] = part.split("-").map(Number);
      return { start, end };
    }),
  );

/** `"1-3,7"`, `7`, `{ start, end }`, or a list of these. */
export const pageRangeSchema = z
  .union([
    text,
    single.transform((one) => [one]),
    span.transform((one) => [one]),
    z
      .array(z.union([single, span]))
      .min(1)
      .max(100),
  ])
  .refine(
    (spans) => spans.every(({ start, end }) => start >= 1 && start <= end),
    "A range ends before it starts.",
  );

/** More are too much work for one run. */
const mostPages = 3000;

/** All, unless told otherwise. */
export type PagesWanted = {
  readonly spans?: readonly PageSpan[] | undefined;
  /** Of these no more than so many. */
  readonly most?: number | undefined;
};

/** Which pages of so many are meant, each once and in order; at least one. */
export function pagesWithin({ spans, most = Infinity }: PagesWanted, count: number): readonly number[] {
  const wanted = new Set<number>();
  for (const { start, end } of spans ?? [{ start: 1, end: count }]) {
    for (let number = start; number <= Math.min(end, count) && wanted.size < most; number++) {
      wanted.add(number);
      if (wanted.size > mostPages)
        throw documentFault(
          `More than ${mostPages} pages are too many for one run: choose some with \`page_range\`.`,
        );
    }
  }
  if (wanted.size === 0) {
    const message = `Of the document's ${count} pages none is in the range.`;
    throw new Problem("invalid_request", { message, param: "page_range" });
  }
  return [...wanted].sort((one, other) => one - other);
}
