import type { ChatWire } from "../wire.ts";
import { openaiAnswer } from "./answer.ts";
import { openaiFault } from "./fault.ts";
import { openaiRefusal } from "./refusal.ts";
import { openaiRequest } from "./request.ts";
import { OpenaiStream } from "./stream.ts";

/** OpenAI's chat completions, as OpenAI and every provider that speaks its wire serve them. */
export const openaiChat: ChatWire = {
  refusalOf: openaiRefusal,
  request: openaiRequest,
  whole: openaiAnswer,
  stream: (view, target) => new OpenaiStream(view, target),
  fault: openaiFault,
};
