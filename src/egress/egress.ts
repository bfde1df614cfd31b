import { bodyOf } from "./body.ts";
import { encodingOf } from "./decoding.ts";
import { EgressFailure } from "./egress-failure.ts";
import type { Reply } from "./exchange.ts";
import { Journey } from "./journey.ts";
import { Judge } from "./judge.ts";
import { lookupAsSystem, lookupInDns } from "./lookup.ts";
import type { Lookup } from "./lookup.ts";
import { questionOf } from "./question.ts";
import { travel } from "./travel.ts";
import type { Roads } from "./travel.ts";

export { EgressFailure };

export type EgressRequest = {
  readonly url: string;
  /** Default GET. A POST is not redirected: a 3xx is then the answer. */
  readonly method?: "GET" | "HEAD" | "POST" | undefined;
  /** Without those that belong to the connection, such as `host`; they are left out. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Sent with POST only. */
  readonly body?: string | Buffer | undefined;
  /** Of the decoded body. */
  readonly maxBytes: number;
  /** For all of it: names, connections, redirects and the whole body. */
  readonly timeoutMs: number;
  /** Default 5. With 0 a 3xx is the answer. */
  readonly maxRedirects?: number | undefined;
  /** Asked before each redirect is followed: what it throws is thrown instead of going there. */
  readonly beforeRedirect?: ((url: string) => Promise<void>) | undefined;
  readonly signal?: AbortSignal | undefined;
};

export type EgressHead = {
  /** After redirects, without a fragment. */
  readonly url: string;
  readonly status: number;
  /**
   * Names in lower case. Of a body that was decoded there is neither `content-encoding` nor `content-length`, which
   * told of it as it was sent.
   */
  readonly headers: Readonly<Record<string, string>>;
};
export type EgressAnswer = EgressHead & { readonly bytes: Buffer };
export type EgressStream = EgressHead & { readonly body: AsyncIterable<Buffer> };

/**
 * The one way out to addresses that a customer or an answer named. Each of these throws `url_not_allowed` (400) for
 * what may not be fetched, wherever that shows: in the URL, behind a redirect, or in what a name resolves to; nothing
 * is connected to then. All else that goes wrong is an `EgressFailure`. A status is never a failure.
 */
export type Egress = {
  readonly fetch: (request: EgressRequest) => Promise<EgressAnswer>;
  /**
   * The body as it comes: the consumer's pace is the sender's pace. It can be read once; leaving it early closes the
   * connection, and so does the end of `timeoutMs`, whether it is read or not.
   */
  readonly stream: (request: EgressRequest) => Promise<EgressStream>;
  /** Refuses what could never be fetched, before anything is stored or asked. Does not resolve names. */
  readonly check: (url: string) => void;
  /** Aborts what is under way; later requests are aborted as well. */
  readonly stop: () => Promise<void>;
};

export type EgressSettings = {
  /**
   * The operator's list of what may be reached although it is private: `host`, `host:port` or `address/length`. A
   * line with a port opens that port even where another service usually is.
   */
  readonly allowed?: readonly string[];
  /** Takes the place of DNS. */
  readonly lookup?: Lookup;
  /** Between two pieces of a body, unless it is us who let the sender wait. Default 20 seconds. */
  readonly stallMs?: number;
};

const maxRedirectsDefault = 5;

/** Throws an Error for a line of `allowed` that cannot be read. */
export function createEgress(settings: EgressSettings): Egress {
  const judge = new Judge(settings.allowed ?? []);
  const roads: Roads = {
    judge,
    lookup: settings.lookup ?? lookupInDns(),
    lookupTrusted: settings.lookup ?? lookupAsSystem,
    stallMs: settings.stallMs ?? 20_000,
  };
  const journeys = new Set<Journey>();
  let isStopped = false;

  async function stream(request: EgressRequest): Promise<EgressStream> {
    const first = judge.destination(request.url);
    const journey = new Journey(request, (over) => journeys.delete(over));
    journeys.add(journey);
    if (isStopped) journey.abort("aborted", "this process stops");
    try {
      journey.signal.throwIfAborted();
      const trip = {
        question: questionOf(request, first.url),
        journey,
        maxRedirects: request.maxRedirects ?? maxRedirectsDefault,
        beforeRedirect: request.beforeRedirect,
      };
      const [destination, reply] = await travel(first, trip, roads);
      journey.begun = true;
      return { url: destination.url.href, ...arrived(reply, request, journey) };
    } catch (error) {
      const failure = journey.failureOf(error);
      journey.end();
      throw failure;
    }
  }

  return {
    stream,
    fetch: async (request) => collected(await stream(request)),
    check: (url) => void judge.destination(url),
    stop: async () => {
      isStopped = true;
      for (const journey of journeys) journey.abort("aborted", "this process stops");
    },
  };
}

function arrived(reply: Reply, request: EgressRequest, journey: Journey): Omit<EgressStream, "url"> {
  const { status, headers } = reply;
  const { maxBytes } = request;
  const hasBody = request.method !== "HEAD" && status !== 204 && status !== 304;
  const encoding = hasBody ? encodingOf(headers["content-encoding"]) : undefined;
  if (hasBody && encoding === undefined && Number(headers["content-length"]) > maxBytes) {
    throw new EgressFailure("too_large", `more than ${maxBytes} bytes`);
  }
  return {
    status,
    headers: encoding === undefined ? headers : decodedHeaders(headers),
    body: bodyOf(reply, { encoding, maxBytes, journey }),
  };
}

function decodedHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { "content-encoding": _encoding, "content-length": _length, ...rest } = headers;
  return rest;
}

async function collected({ url, status, headers, body }: EgressStream): Promise<EgressAnswer> {
  return { url, status, headers, bytes: Buffer.concat(await Array.fromAsync(body)) };
}
