import { parseHTML } from "linkedom";

/** As much of the DOM as is used here. Lists are of the moment: they do not follow the document. */
export type PageNode = {
  readonly nodeType: number;
  readonly parentNode: PageElement | null;
  textContent: string;
  remove(): void;
};

export type PageElement = PageNode & {
  /** In capitals. */
  readonly tagName: string;
  readonly childNodes: readonly PageNode[];
  readonly children: readonly PageElement[];
  innerHTML: string;
  getAttribute(name: string): string | null;
  setAttribute(name: string, value: string): void;
  removeAttribute(name: string): void;
  querySelector(selector: string): PageElement | null;
  querySelectorAll(selector: string): readonly PageElement[];
  closest(selector: string): PageElement | null;
  contains(other: PageNode): boolean;
  append(...nodes: readonly (PageNode | string)[]): void;
  prepend(...nodes: readonly (PageNode | string)[]): void;
  before(...nodes: readonly (PageNode | string)[]): void;
};

export type PageDocument = {
  readonly childNodes: readonly PageNode[];
  readonly documentElement: PageElement;
  readonly head: PageElement;
  readonly body: PageElement;
  createElement(name: string): PageElement;
  querySelector(selector: string): PageElement | null;
  querySelectorAll(selector: string): readonly PageElement[];
  /** All of it as HTML. */
  toString(): string;
};

/** As many as a page of 10 MB has that says something; more take more memory than one page may. */
const mostElements = 200_000;

/** Whether the page has more elements than can be read; found without reading it. */
export function hasTooManyElements(html: string): boolean {
  const tag = /<[a-z]/gi;
  for (let count = 0; tag.test(html); count += 1) if (count === mostElements) return true;
  return false;
}

/** Browsers stop at 512. What reads a page here takes time that grows much faster than its depth. */
const mostDepth = 200;

/**
 * A document with one head and one body, whatever the HTML has: the parser takes tags as they come, so pages without
 * a body, with two, or with text after its end are brought into order here. What is nested too deeply keeps
 * its text, and loses its tags.
 */
export function parsePage(html: string): PageDocument {
  // The parser breaks on a doctype that is not the first thing.
  const content = html.replaceAll(/<!doctype[^>]*>/gi, "");
  const { document } = parseHTML(`<html><head></head><body>${content}</body></html>`) as unknown as {
    document: PageDocument;
  };
  const { documentElement, head, body } = document;
  flatten(document);
  for (const node of document.childNodes) if (node !== documentElement) body.append(node);
  for (const root of body.querySelectorAll("html")) {
    const language = root.getAttribute("lang") ?? root.getAttribute("xml:lang");
    if (language !== null && documentElement.getAttribute("lang") === null)
      documentElement.setAttribute("lang", language);
    unwrap(root);
  }
  for (const section of body.querySelectorAll("head, body")) unwrap(section);
  for (const element of body.querySelectorAll("title, meta, base, link")) {
    if (element.tagName !== "TITLE" || element.closest("svg") === null) head.append(element);
  }
  return document;
}

/** Its content takes its place. */
export function unwrap(element: PageElement): void {
  for (const node of element.childNodes) element.before(node);
  element.remove();
}

function flatten(document: PageDocument): void {
  const depths = new Map<PageElement, number>();
  for (const element of document.querySelectorAll("*")) {
    const { parentNode } = element;
    const depth = ((parentNode === null ? undefined : depths.get(parentNode)) ?? 0) + 1;
    if (depth > mostDepth) unwrap(element);
    else depths.set(element, depth);
  }
}
