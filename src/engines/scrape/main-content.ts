import { Readability } from "@mozilla/readability";
import { parsePage, unwrap } from "./page-document.ts";
import type { PageDocument, PageElement } from "./page-document.ts";

/** Never text of the page. */
const noise = `script, style, noscript, template, svg, canvas, object, embed, applet, annotation,
  input, select, textarea, button, datalist, progress, meter,
  [hidden], [aria-hidden='true'], dialog:not([open]), nav, [role='navigation']`;

/** Around the text of the page. */
const surroundings = `header, footer, aside, [role='banner'], [role='contentinfo'], [role='complementary'],
  [role='search'], [role='dialog'], [role='alertdialog'],
  [id*='cookie-banner'], [id*='cookie-consent'], [id*='cookieconsent'], [id^='onetrust-'],
  [class*='cookie-banner'], [class*='cookie-consent'], [class*='cookieconsent'],
  [class*='breadcrumb'], [class*='sidebar'], [id*='sidebar'], [class*='social-share'], [class*='share-buttons']`;

/** Whether this lies around the text of the page. An article's own header holds its title. */
export function isSurrounding(element: PageElement): boolean {
  const around = element.closest(surroundings);
  return around !== null && around.closest("article, main") === null;
}

/** Below this share of the page's text, what was taken for the article is only a part of what matters. */
const leastShare = 0.3;
const leastCharacters = 140;
/** Finding the article takes time that grows faster than the page. */
const mostElements = 40_000;

export function removeNoise(document: PageDocument): void {
  // Questions that open their answers are buttons.
  for (const button of document.body.querySelectorAll("button")) {
    const heading = button.closest("h1, h2, h3, h4, h5, h6, dt, summary");
    if (heading?.textContent.trim() === button.textContent.trim()) unwrap(button);
  }
  for (const element of document.body.querySelectorAll(noise)) element.remove();
  for (const element of document.body.querySelectorAll("[style]")) {
    if (/display\s*:\s*none|visibility\s*:\s*hidden/i.test(element.getAttribute("style") ?? ""))
      element.remove();
  }
}

/**
 * The part of a page that one would read: the article where there is one, otherwise (overviews, shops, lists) the page
 * without what surrounds it. Expects a document without noise; changes it.
 */
export function mainContent(document: PageDocument): PageElement {
  const rest = withoutSurroundings(document);
  const restLength = textLength(rest);
  const isTooLarge = document.querySelectorAll("*").length > mostElements;
  const article = isTooLarge ? undefined : articleOf(document.toString());
  if (article === undefined) return rest;
  const length = textLength(article);
  return length >= leastCharacters && length >= restLength * leastShare ? article : rest;
}

export function textLength(element: PageElement): number {
  return element.textContent.replaceAll(/\s+/g, " ").length;
}

function withoutSurroundings(document: PageDocument): PageElement {
  const { body } = document;
  const whole = textLength(body);
  const doomed = body.querySelectorAll(surroundings).filter(
    // An article's own header holds its title; and a page that is all aside keeps it.
    (element) => element.closest("article, main") === null && textLength(element) < whole / 2,
  );
  for (const element of doomed) element.remove();
  const [main, second] = body.querySelectorAll("main, [role='main']");
  return main !== undefined && second === undefined && textLength(main) >= leastCharacters ? main : body;
}

function articleOf(html: string): PageElement | undefined {
  const document = parsePage(html);
  // The first one of a page may be the name of the site.
  const title =
    document.querySelector("main h1, article h1, [role='main'] h1") ?? document.querySelector("h1");
  const heading = title?.textContent.replaceAll(/\s+/g, " ").trim() ?? "";
  const content = readArticle(document);
  if (content !== undefined && heading !== "" && content.querySelector("h1") === null)
    giveTitleBack(document, content, heading);
  return content;
}

/** The reader takes the title out of the article, or makes a lesser heading of it. */
function giveTitleBack(document: PageDocument, content: PageElement, heading: string): void {
  const lesser = content.querySelector("h2");
  const title = document.createElement("h1");
  title.textContent = heading;
  if (lesser?.textContent.trim() !== heading) {
    content.prepend(title);
    return;
  }
  lesser.before(title);
  lesser.remove();
}

function readArticle(document: PageDocument): PageElement | undefined {
  // The reader asks for elements in capitals, and the document would write them so.
  const create = document.createElement.bind(document);
  document.createElement = (name) => create(name.toLowerCase());
  try {
    const read = new Readability<PageElement>(document as never, {
      charThreshold: leastCharacters,
      keepClasses: true,
      maxElemsToParse: mostElements,
      // Its own node type is the browser's; it hands back what it was given.
      serializer: (node) => node as unknown as PageElement,
    }).parse();
    return read?.content?.querySelector(".page") ?? read?.content ?? undefined;
  } catch (error) {
    // Too many elements. A stack that ran out is for the caller to tell.
    if (error instanceof RangeError) throw error;
    return undefined;
  }
}
