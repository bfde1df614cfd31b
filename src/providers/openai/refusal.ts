import type { ChatRequest } from "../../core/chat.ts";
import type { Problem } from "../../core/problems.ts";
import { customToolRefusal } from "../custom-tools.ts";
import { oneChoiceOnly } from "../one-choice.ts";
import type { Target } from "../wire.ts";
import { isAccepted } from "./request-members.ts";

/** Members that may not be left out quietly: the answer would be another one. */
export function openaiRefusal(request: ChatRequest, target: Target): Problem | undefined {
  if ((request.n ?? 1) > 1 && !isAccepted("n", target)) return oneChoiceOnly();
  return target.customTools === true ? undefined : customToolRefusal(request);
}
