/** What is asked of one address, once. */
export type Question = {
  readonly method: "GET" | "HEAD" | "POST";
  readonly url: URL;
  /** Names in lower case, without those that belong to the connection. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer | undefined;
};

type Wish = {
  readonly method?: Question["method"] | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | Buffer | undefined;
};

/** Belong to one connection and to whoever makes it. */
const connectionHeaders: ReadonlySet<string> = new Set(
  (
    "connection content-length expect host http2-settings keep-alive proxy-authorization proxy-connection " +
    "te trailer transfer-encoding upgrade"
  ).split(" "),
);

/** All that another origin than the first may read; the rest could be meant for the first alone. */
const headersForAnybody: ReadonlySet<string> = new Set([
  "accept",
  "accept-encoding",
  "accept-language",
  "range",
  "user-agent",
]);

const usualHeaders = { "accept-encoding": "gzip, br, zstd, deflate", "user-agent": "SkillBoss" };

export function questionOf({ method = "GET", headers = {}, body }: Wish, url: URL): Question {
  const named = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  const own = named.filter(([name]) => !connectionHeaders.has(name));
  return {
    method,
    url,
    headers: { ...usualHeaders, ...Object.fromEntries(own) },
    body: method === "POST" ? body : undefined,
  };
}

/** The same after a redirect. What was left out for another origin does not come back. */
export function askedAt(url: URL, question: Question): Question {
  if (url.origin === question.url.origin) return { ...question, url };
  const kept = Object.entries(question.headers).filter(([name]) => headersForAnybody.has(name));
  return { ...question, url, headers: Object.fromEntries(kept) };
}
