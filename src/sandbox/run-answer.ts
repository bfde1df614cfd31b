import type { Headers } from "./exchange.ts";

/** What a route gives back. The frame sends it, and does to it what was ordered. */
export type RunAnswer = {
  readonly status: number;
  /** In lower case. */
  readonly headers: Headers;
  readonly content:
    | { readonly kind: "json"; readonly value: unknown }
    /** Sent whole, with its length. */
    | { readonly kind: "bytes"; readonly type: string; readonly bytes: Buffer }
    /** Sent one after the other, at the ordered pace: server-sent events, sound while it is spoken. */
    | { readonly kind: "parts"; readonly type: string; readonly parts: readonly (Buffer | string)[] }
    | { readonly kind: "nothing" };
};

type Extra = { readonly status?: number; readonly headers?: Headers };

export function json(value: unknown, { status = 200, headers = {} }: Extra = {}): RunAnswer {
  return { status, headers, content: { kind: "json", value } };
}

export function bytes(type: string, content: Buffer | string, extra: Extra = {}): RunAnswer {
  const { status = 200, headers = {} } = extra;
  return { status, headers, content: { kind: "bytes", type, bytes: Buffer.from(content) } };
}

export function parts(type: string, content: readonly (Buffer | string)[], extra: Extra = {}): RunAnswer {
  const { status = 200, headers = {} } = extra;
  return { status, headers, content: { kind: "parts", type, parts: content } };
}

export function nothing({ status = 204, headers = {} }: Extra = {}): RunAnswer {
  return { status, headers, content: { kind: "nothing" } };
}
