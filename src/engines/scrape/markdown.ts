import TurndownService from "turndown";
import { tableRules } from "./markdown-tables.ts";
import type { PageElement } from "./page-document.ts";

/** The element's content as Markdown with GitHub's tables. Addresses are expected to be absolute already. */
export function toMarkdown(element: PageElement): string {
  const service = new TurndownService({
    headingStyle: "atx",
    hr: "---",
    bulletListMarker: "-",
    codeBlockStyle: "fenced",
    emDelimiter: "*",
  });
  for (const [name, rule] of [...textRules, ["listItem", listItems()] as const, ...tableRules()])
    // The library's node is the browser's; ours has the members that are used.
    service.addRule(name, rule as unknown as TurndownService.Rule);
  return service
    .turndown(element as never)
    .replaceAll(/[^\S\n]+$/gm, "")
    .replaceAll(/\n{3,}/g, "\n\n")
    .trim();
}

export type MarkdownRule = {
  readonly filter: string | readonly string[] | ((node: PageElement) => boolean);
  readonly replacement: (content: string, node: PageElement) => string;
};

const textRules: readonly (readonly [string, MarkdownRule])[] = [
  ["strikethrough", { filter: ["del", "s", "strike"], replacement: (content) => wrapped(content, "~~") }],
  ["link", { filter: "a", replacement: link }],
  ["image", { filter: "img", replacement: image }],
  ["pre", { filter: "pre", replacement: codeBlock }],
  ["frame", { filter: "iframe", replacement: () => "" }],
  ["term", { filter: "dt", replacement: (content) => `\n\n${wrapped(content, "**")}\n` }],
  ["definition", { filter: "dd", replacement: (content) => `\n${content.trim()}\n\n` }],
];

function wrapped(content: string, mark: string): string {
  const inner = content.trim();
  return inner === "" ? "" : `${mark}${inner}${mark}`;
}

/** Numbered from where the list starts. Items are converted in their order, so each list's number is counted along. */
function listItems(): MarkdownRule {
  const numbers = new WeakMap<PageElement, number>();
  return {
    filter: "li",
    replacement: (content, node) => {
      const list = node.parentNode;
      let prefix = "- ";
      if (list?.tagName === "OL") {
        const number = numbers.get(list) ?? (Number.parseInt(list.getAttribute("start") ?? "1", 10) || 1);
        numbers.set(list, number + 1);
        prefix = `${number}. `;
      }
      const text = content.trim().replaceAll("\n", `\n${" ".repeat(prefix.length)}`);
      return `${prefix}${text}\n`;
    },
  };
}

/** A link is one line: what a card holds (a heading, lines of text) becomes its words. */
function link(content: string, node: PageElement): string {
  const words = content
    .replaceAll(/^\s*#{1,6}\s+/gm, "")
    .replaceAll(/\s+/g, " ")
    .trim();
  const href = node.getAttribute("href");
  // Signs that link to the place where they stand.
  const isSign = /^[^\p{L}\p{N}]{1,2}$/u.test(words) && href?.includes("#") === true;
  if (words === "" || isSign) return "";
  return href === null ? words : `[${words}](${destination(href)})`;
}

function image(_: string, node: PageElement): string {
  const source = node.getAttribute("src");
  if (source === null || source === "") return "";
  const words = (node.getAttribute("alt") ?? "").replaceAll(/\s+/g, " ").replaceAll(/[[\]\\]/g, "\\$&");
  return `![${words.trim()}](${destination(source)})`;
}

function destination(address: string): string {
  return address.replaceAll(/[\s()<>]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

function codeBlock(_: string, node: PageElement): string {
  for (const lineBreak of node.querySelectorAll("br")) {
    lineBreak.before("\n");
    lineBreak.remove();
  }
  const code = node.textContent.replace(/\n$/, "");
  if (code.trim() === "") return "";
  const longestRun = Math.max(2, ...[...code.matchAll(/`{3,}/g)].map(([run]) => run.length));
  const fence = "`".repeat(longestRun + 1);
  return `\n\n${fence}${languageOf(node)}\n${code}\n${fence}\n\n`;
}

function languageOf(pre: PageElement): string {
  const classes = [
    pre,
    pre.querySelector("code"),
    pre.closest("[class*='highlight-source-'], [class*='language-']"),
  ]
    .map((element) => element?.getAttribute("class") ?? "")
    .join(" ");
  return /(?:^|\s)(?:language|lang|highlight-source|brush:)-?\s?([\w+#-]+)/.exec(classes)?.[1] ?? "";
}
