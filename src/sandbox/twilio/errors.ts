import type { Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";

const codes: Readonly<Record<number, number>> = {
  400: 20001,
  401: 20003,
  403: 20403,
  404: 20404,
  405: 20004,
  429: 20429,
  503: 20503,
};

/** `{code, message, more_info, status}`; codes are numbers. */
export function refuseAsTwilio({ status, message, code }: Refusal): RunAnswer {
  const isOwn = code !== undefined && /^\d+$/.test(code);
  const number = isOwn ? Number(code) : (codes[status] ?? 20500);
  const text = status === 401 ? "Authenticate" : message;
  const moreInfo = `https://www.twilio.com/docs/errors/${number}`;
  return json({ code: number, message: text, more_info: moreInfo, status }, { status });
}
