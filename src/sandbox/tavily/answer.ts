import type { JsonObject } from "../json.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";

type Told = { readonly members: JsonObject; readonly credits: number };

/** What every answer has beside its own members; what it cost is told to those who ask. */
export function answer(request: RunRequest, { members, credits }: Told): RunAnswer {
  const isUsageWanted = request.json()["include_usage"] === true;
  return json({
    ...members,
    response_time: 0.42,
    ...(isUsageWanted ? { usage: { credits } } : {}),
    request_id: request.seed.slice(0, 32),
  });
}
