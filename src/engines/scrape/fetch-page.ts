import { Problem } from "../../core/problems.ts";
import { EgressFailure } from "../../egress/egress-failure.ts";
import type { Egress, EgressAnswer } from "../../egress/egress.ts";

/** The name that sites know us by in their robots.txt. */
export const robotName = "SkillBossBot";

const userAgent = `Mozilla/5.0 (compatible; ${robotName}/1.0)`;
const mobileUserAgent = `Mozilla/5.0 (Linux; Android 15; Mobile) AppleWebKit/537.36 (KHTML, like Gecko) Mobile Safari/537.36 (compatible; ${robotName}/1.0)`;

/** Larger pages and documents are refused. */
const mostBytes = 20 * 1024 * 1024;

export type PageRequest = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly isMobile: boolean;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** The input that named the page. */
  readonly param: string;
  /** Throws for an address that a redirect leads to and that is not to be read. */
  readonly beforeRedirect?: (url: string) => Promise<void>;
};

export type FetchedPage = EgressAnswer & { readonly contentType: string };

export function userAgentOf(isMobile: boolean): string {
  return isMobile ? mobileUserAgent : userAgent;
}

/** Throws a `Problem` that names the input for all that keeps an address from being read. Any status is an answer. */
export async function fetchPage(egress: Pick<Egress, "fetch">, request: PageRequest): Promise<FetchedPage> {
  const { url, headers, isMobile, timeoutMs, signal, beforeRedirect } = request;
  try {
    const answer = await egress.fetch({
      url,
      headers: {
        accept: "text/html,application/xhtml+xml,application/pdf,text/plain;q=0.9,*/*;q=0.8",
        "accept-language": "en;q=0.9,*;q=0.5",
        ...headers,
        "user-agent": userAgentOf(isMobile),
      },
      maxBytes: mostBytes,
      timeoutMs,
      signal,
      beforeRedirect,
    });
    return { ...answer, contentType: answer.headers["content-type"] ?? "" };
  } catch (error) {
    throw fetchProblem(error, request);
  }
}

type FailedFetch = Pick<PageRequest, "signal" | "param"> & { readonly maxBytes?: number };

/** What the customer reads when an address could not be read. */
export function fetchProblem(error: unknown, { signal, param, maxBytes = mostBytes }: FailedFetch): unknown {
  if (error instanceof Problem)
    return error.code === "url_not_allowed" ? new Problem("url_not_allowed", { param, cause: error }) : error;
  if (!(error instanceof EgressFailure)) return error;
  switch (error.kind) {
    case "refused":
      return new Problem("upstream_error", {
        message: "The site could not be reached.",
        param,
        cause: error,
      });
    case "timeout":
      return new Problem("upstream_timeout", {
        message: "The site did not answer in time.",
        param,
        cause: error,
      });
    case "unreadable":
      return new Problem("upstream_invalid_response", {
        message: "The site sent an answer that cannot be read.",
        param,
        cause: error,
      });
    case "too_large":
      return new Problem("invalid_request", {
        message: `The page or document is larger than ${maxBytes / 1024 / 1024} MB.`,
        param,
        cause: error,
      });
    case "aborted":
      return signal.aborted ? signal.reason : new Problem("shutting_down", { cause: error });
  }
}
