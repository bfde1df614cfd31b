import { Refusal } from "../refusal.ts";

/** Pages from 0: a list of numbers, or a text such as `0,2-4`; those that the document has. All of them if none are named. */
export function pagesAsked(pages: unknown, count: number): readonly number[] {
  if (pages === undefined || pages === null) return upTo(count);
  const named = typeof pages === "string" ? numbersIn(pages) : pages;
  const isList = Array.isArray(named) && named.every((page) => Number.isInteger(page) && page >= 0);
  if (!isList) {
    throw new Refusal(422, "Input should be pages such as `0,2-4`.", { param: "pages" });
  }
  const wanted = new Set<unknown>(named);
  return upTo(count).filter((page) => wanted.has(page));
}

function upTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, page) => page);
}

const mostNumbers = 1_000;
const longestText = 10_000;

function numbersIn(text: string): readonly number[] | undefined {
  if (text.length > longestText || !/^\d{1,4}(?:-\d{1,4})?(?:,\d{1,4}(?:-\d{1,4})?)*$/.test(text))
    return undefined;
  return text.split(",").flatMap((part) => {
    const [first = 0, last = first] = part.split("-").map(Number);
    return Array.from(
      { length: Math.min(mostNumbers, Math.max(0, last - first + 1)) },
      (_, at) => first + at,
    );
  });
}
