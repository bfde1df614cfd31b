import { fingerprintOf, pick, randomFrom } from "../answers/random.ts";
import { topicsOf } from "../answers/topics.ts";
import { withoutDirectives } from "../directives.ts";
import { sentencesOn } from "./prose.ts";

/** What a search finds. */
export type Hit = {
  readonly title: string;
  readonly url: string;
  readonly snippet: string;
  readonly favicon: string;
  /** From 1 downwards. */
  readonly score: number;
  /** `2026-03-14`. */
  readonly date: string;
};

export type Wanted = {
  readonly count: number;
  /** Only from these domains, if any are named. */
  readonly domains?: readonly string[];
  /** None from these. */
  readonly without?: readonly string[];
};

const domains = [
  "wikipedia.org",
  "example.com",
  "nature.com",
  "theguardian.com",
  "arxiv.org",
  "example.org",
  "bbc.co.uk",
  "medium.com",
];
const forms = ["What is {topic}?", "{topic}: a guide", "Understanding {topic}", "{topic} explained"];
const mostHits = 100;
/** No domain has a longer name, so a longer one has no pages: https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4 */
const longestDomain = 253;

/** The same question has the same hits. */
export function hitsFor(query: string, { count, domains: only = [], without = [] }: Wanted): readonly Hit[] {
  const plain = withoutDirectives(query);
  const random = randomFrom(fingerprintOf(plain));
  const { words } = topicsOf(plain);
  const topic = words.slice(0, 3).join(" ") || plain.slice(0, 40) || "the web";
  const slug = topic.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, "-");
  const open = (only.length > 0 ? only : domains).filter(
    (domain) => isDomain(domain) && !without.includes(domain),
  );
  const wanted = open.length === 0 ? 0 : Math.min(Math.max(0, Math.floor(count)), mostHits);
  return Array.from({ length: wanted }, (_, at) => {
    const domain = open[at % open.length] ?? "example.com";
    const page = Math.floor(at / open.length);
    return {
      title: pick(random, forms, "{topic}").replace("{topic}", () => topic),
      url: `https://${domain}/${encodeURIComponent(slug)}${page === 0 ? "" : `-${page + 1}`}`,
      snippet: sentencesOn(plain, 2, fingerprintOf(`${plain} ${at}`)).join(" "),
      favicon: `https://${domain}/favicon.ico`,
      score: Math.round((0.98 - at * 0.007) * 10_000) / 10_000,
      date: `2026-${String(1 + Math.floor(random() * 10)).padStart(2, "0")}-${String(1 + Math.floor(random() * 28)).padStart(2, "0")}`,
    };
  });
}

/** What cannot be in an address has no pages. */
function isDomain(text: string): boolean {
  return text.length <= longestDomain && URL.canParse(`https://${text}/`);
}
