import { Problem } from "../../core/problems.ts";
import type { PageDocument, PageElement } from "./page-document.ts";

/** What the customer does not want to see is gone. */
export function withoutExcluded(document: PageDocument, selectors: readonly string[]): void {
  for (const selector of selectors)
    for (const element of selected(document, selector, "exclude_tags")) element.remove();
}

/** Only what the customer wants to see, in the page's order; what lies within another choice is there once. */
export function chosenContent(document: PageDocument, selectors: readonly string[]): PageElement {
  const chosen = new Set<PageElement>();
  for (const selector of selectors)
    for (const element of selected(document, selector, "include_tags")) chosen.add(element);
  const { body } = document;
  // Moved out first, so that what is left behind can go as a whole.
  const content = document.createElement("div");
  for (const element of body.querySelectorAll("*"))
    if (chosen.has(element) && !isWithin(element, chosen)) content.append(element);
  body.innerHTML = "";
  body.append(content);
  return content;
}

function isWithin(element: PageElement, chosen: ReadonlySet<PageElement>): boolean {
  for (let outer = element.parentNode; outer !== null; outer = outer.parentNode)
    if (chosen.has(outer)) return true;
  return false;
}

function selected(
  document: PageDocument,
  selector: string,
  param: "include_tags" | "exclude_tags",
): readonly PageElement[] {
  try {
    return document.body.querySelectorAll(selector);
  } catch (cause) {
    throw new Problem("invalid_request", {
      message: "Each of these is a tag name or a CSS selector.",
      param,
      cause,
    });
  }
}
