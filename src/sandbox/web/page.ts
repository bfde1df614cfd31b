import { fingerprintOf } from "../answers/random.ts";
import { withoutDirectives } from "../directives.ts";
import { sentencesOn, titleFrom } from "./prose.ts";

/** A made-up page of the web: the same address has the same one. */
export type WebPage = {
  readonly url: string;
  readonly title: string;
  readonly description: string;
  readonly paragraphs: readonly string[];
  /** Absolute addresses of pages of the same site. */
  readonly links: readonly string[];
};

const sections = ["about", "blog", "docs", "pricing", "guides/start", "guides/advanced", "news", "contact"];

export function pageAt(url: string): WebPage {
  const address = new URL(withoutDirectives(url));
  const seed = fingerprintOf(url);
  const subject = `${address.hostname.replace(/^www\./, "")} ${address.pathname}`;
  const spoken = sentencesOn(subject, 9, seed);
  const site = titleFrom(address.hostname.replace(/^www\./, "").replace(/\.[a-z]+$/, ""));
  const title = address.pathname === "/" ? site : `${titleFrom(address.pathname)} | ${site}`;
  return {
    url: address.href,
    title,
    description: spoken[0] ?? "",
    paragraphs: [0, 1, 2].map((at) => spoken.slice(at * 3, at * 3 + 3).join(" ")),
    links: sections.map((section) => `${address.origin}/${section}`),
  };
}

/** Pages of the site that an address belongs to, itself first. At most as many as asked, and never more than 60. */
export function siteOf(url: string, count: number): readonly WebPage[] {
  const address = new URL(withoutDirectives(url));
  const paths = [
    ...sections.map((section) => `/${section}`),
    ...Array.from({ length: 51 }, (_, at) => `/blog/post-${at + 1}`),
  ];
  const urls = new Set([address.href, ...paths.map((path) => address.origin + path)]);
  return [...urls].slice(0, Math.max(0, count)).map(pageAt);
}

export function markdownOf({ title, paragraphs, links }: WebPage): string {
  const list = links.map((link) => `- [${titleFrom(new URL(link).pathname)}](${link})`).join("\n");
  return `# ${title}\n\n${paragraphs.join("\n\n")}\n\n## See also\n\n${list}\n`;
}

export function htmlOf({ title, description, paragraphs, links }: WebPage): string {
  const list = links.map((link) => `<li><a href="${link}">${link}</a></li>`).join("");
  return (
    `<!DOCTYPE html><html lang="en"><head><title>${escaped(title)}</title>` +
    `<meta name="description" content="${escaped(description)}"></head><body><main><h1>${escaped(title)}</h1>` +
    `${paragraphs.map((text) => `<p>${escaped(text)}</p>`).join("")}<ul>${list}</ul></main></body></html>`
  );
}

function escaped(text: string): string {
  const names: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replaceAll(/[&<>"]/g, (mark) => names[mark] ?? mark);
}

/** Whether a text is an address that a scraper would fetch. */
export function isWebAddress(text: unknown): text is string {
  if (typeof text !== "string") return false;
  const url = URL.parse(text);
  return (
    url !== null && (url.protocol === "http:" || url.protocol === "https:") && url.hostname.includes(".")
  );
}
