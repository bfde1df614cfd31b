import { addressedFile } from "../addressed-file.ts";
import { refusalFor } from "../request-refusal.ts";
import type { ChatWire } from "../wire.ts";
import { openaiAnswer } from "./answer.ts";
import { openaiFault } from "./fault.ts";
import { refusedPart } from "./refused-part.ts";
import { isAccepted } from "./request-members.ts";
import { openaiRequest } from "./request.ts";
import { OpenaiStream } from "./stream.ts";

/** OpenAI's chat completions, as OpenAI and every provider that speaks its wire serve them. */
export const openaiChat: ChatWire = {
  refusalOf: (request, target) =>
    refusalFor(request, (ability) =>
      ability === "custom_tools" ? target.customTools === true : isAccepted(ability, target),
    ) ??
    (target.quirks.fetchesFiles === true ? undefined : addressedFile(request)) ??
    refusedPart(request, target.capabilities),
  request: openaiRequest,
  whole: openaiAnswer,
  stream: (view, target) => new OpenaiStream(view, target),
  fault: openaiFault,
};
