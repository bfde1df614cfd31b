import type { IncomingHttpHeaders } from "node:http";

const mark = "[sandbox:";
/** No order is longer. */
const reach = 60;
/** Encoded forms beyond this size are not looked into. */
const largestForm = 1_048_576;

type Asked = {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
};

/** The stretches of a request's text in which orders are written: path, query and body, whatever the body is. */
export function orderTextIn({ path, query, headers, body }: Asked): string {
  const texts = [decoded(path), ...query.values()].filter((text) => text.includes(mark));
  const isForm = headers["content-type"]?.includes("x-www-form-urlencoded") === true;
  if (isForm && body.length < largestForm) {
    texts.push(...new URLSearchParams(body.toString("utf8")).values());
  }
  for (let at = body.indexOf(mark); at !== -1; at = body.indexOf(mark, at + mark.length)) {
    texts.push(body.subarray(at, at + reach).toString("latin1"));
  }
  return texts.join(" ");
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
