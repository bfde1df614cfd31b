import type { PageDocument } from "./page-document.ts";

export type PageFacts = {
  readonly title: string;
  readonly description?: string;
  readonly language?: string;
};

const longestFact = 2000;

/** What the page says about itself. */
export function factsOf(document: PageDocument): PageFacts {
  const meta = (name: string): string | undefined =>
    tidy(
      document.querySelector(`meta[name="${name}"]`)?.getAttribute("content") ??
        document.querySelector(`meta[property="${name}"]`)?.getAttribute("content"),
    );
  const description = meta("description") ?? meta("og:description");
  const language = tidy(document.documentElement.getAttribute("lang"));
  return {
    title:
      tidy(document.querySelector("title")?.textContent) ??
      meta("og:title") ??
      tidy(document.querySelector("h1")?.textContent) ??
      "",
    ...(description === undefined ? {} : { description }),
    ...(language === undefined ? {} : { language }),
  };
}

function tidy(text: string | null | undefined): string | undefined {
  const tidied = (text ?? "").replaceAll(/\s+/g, " ").trim().slice(0, longestFact);
  return tidied === "" ? undefined : tidied;
}
