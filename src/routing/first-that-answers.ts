import type { Offer as ChatOffer } from "../core/model.ts";
import type { Problem } from "../core/problems.ts";
import type { Health } from "./health.ts";
import { offerKey, rank } from "./rank.ts";
import type { AnyOffer } from "./rank.ts";

/** One try of one offer. `answered` means the first byte is here: there is no way back to another offer. */
export type Attempt<Answer> =
  | { readonly state: "answered"; readonly answer: Answer }
  | {
      readonly state: "failed";
      readonly problem: Problem;
      /** Another offer may do better. False: the request itself is at fault, or the client is gone. */
      readonly tryNext: boolean;
      /** The connection was refused or reset before the first byte: one more try on the same offer is worth it. */
      readonly tryAgain: boolean;
      /** The offer is to rest a while. */
      readonly unhealthy: boolean;
      readonly retryAfterSeconds?: number | undefined;
    };

export type Route<Answer, Offer extends AnyOffer = ChatOffer> = {
  /** The offer that answered, or the last one that was tried. */
  readonly offer: Offer;
  readonly attempts: number;
  readonly outcome: { readonly answer: Answer } | { readonly problem: Problem };
};

type Trial<Answer, Offer> = (offer: Offer) => Promise<Attempt<Answer>>;

/** Tries offers in their rank until one answers. Fallback ends here: the customer is charged for one answer only. */
export async function firstThatAnswers<Answer, Offer extends AnyOffer = ChatOffer>(
  offers: readonly [Offer, ...Offer[]],
  health: Health,
  attempt: Trial<Answer, Offer>,
): Promise<Route<Answer, Offer>> {
  let attempts = 0;
  let last: { readonly offer: Offer; readonly problem: Problem } | undefined;
  for (const offer of rank(offers, health)) {
    const rested = !health.resting(offerKey(offer));
    for (let again = true; again;) {
      attempts += 1;
      const tried = await attempt(offer);
      if (tried.state === "answered") {
        health.answered(offerKey(offer));
        return { offer, attempts, outcome: { answer: tried.answer } };
      }
      last = { offer, problem: tried.problem };
      if (!tried.tryNext) return { offer, attempts, outcome: { problem: tried.problem } };
      again = tried.tryAgain && rested && attempts === 1;
      if (!again && tried.unhealthy) health.failed(offerKey(offer), tried.retryAfterSeconds);
    }
  }
  if (last === undefined) throw new Error("no offer to try");
  return { offer: last.offer, attempts, outcome: { problem: last.problem } };
}
