import type { Offer } from "../core/model.ts";
import type { Problem } from "../core/problems.ts";
import { offerKey } from "../routing/rank.ts";
import type { ChatHouse } from "./chat-house.ts";
import type { ChatAsk } from "./open-chat.ts";

export type FailedCall = {
  readonly ask: ChatAsk;
  readonly problem: Problem;
  readonly offer: Offer | undefined;
};

/** One line for the operator, who finds a call by the id that the customer was shown. */
export function logFailedCall(house: Pick<ChatHouse, "log">, { ask, problem, offer }: FailedCall): void {
  const fields = {
    request_id: ask.requestId,
    call_id: ask.callId,
    model: ask.call.request.model,
    ...(offer === undefined ? {} : { offer: offerKey(offer) }),
    code: problem.code,
    cause: problem.cause,
  };
  if (problem.code === "internal_error") house.log.error(fields, "call failed");
  else house.log.warn(fields, "call failed");
}

/** What the customer could do better is told to them alone, unless it was a provider that said so. */
export function isForTheLog({ code, status }: Problem): boolean {
  return status >= 500 || code === "upstream_rejected_request" || code === "content_refused";
}
