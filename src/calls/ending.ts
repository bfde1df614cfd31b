import { creditsAsJsonNumber } from "../core/credits.ts";
import type { Credits } from "../core/credits.ts";
import { isJsonObject } from "../core/json-object.ts";
import type { Problem } from "../core/problems.ts";
import type { WholeAnswer } from "../providers/wire.ts";
import { warningBelow } from "./balance-warning.ts";
import type { Metered } from "./metering.ts";
import { completionId, createdAt } from "./open-chat.ts";
import type { OpenChat } from "./open-chat.ts";

/** Members that every answer carries at its end, as JSON text without braces. */
function balanceMembers(open: OpenChat, available: Credits): string {
  const members = `"_balance_warning":${available < warningBelow},"_remaining_credits":${creditsAsJsonNumber(available)}`;
  return open.held.isShortened ? `${members},"_limited_by":"insufficient_balance"` : members;
}

export type WholeEnding = {
  readonly answer: WholeAnswer;
  readonly metered: Metered;
  readonly available: Credits;
};

/** The answer's own JSON text with usage and balance added at its end: nothing in it is written anew. */
export function wholeBody(open: OpenChat, { answer, metered, available }: WholeEnding): string {
  return `{${answer.members},"usage":${JSON.stringify(metered.shown)},${balanceMembers(open, available)}}`;
}

/** What the frames of a stream carried, for those of ours behind them. */
export type StreamHead = { readonly id: string | undefined; readonly created: number | undefined };

/** An id that is the same in every encoding and in JSON. */
const plainId = /^[A-Za-z0-9_.:-]{1,200}$/;

/**
 * Of the first frame, as translated; undefined when there is none. Only its own members count, wherever they stand: tool
 * calls have ids as well, and Google's frames begin with the choices.
 */
export function headOf(frames: string): StreamHead | undefined {
  const end = frames.indexOf("\n\n");
  if (end === -1) return undefined;
  const frame: unknown = JSON.parse(frames.slice("data: ".length, end));
  if (!isJsonObject(frame)) return undefined;
  const { id, created } = frame;
  return {
    id: typeof id === "string" && plainId.test(id) ? id : undefined,
    created:
      typeof created === "number" && Number.isSafeInteger(created) && created >= 0 ? created : undefined,
  };
}

export type StreamEnding = {
  /** The kept finish frames. */
  readonly closing: string;
  readonly metered: Metered;
  readonly available: Credits;
  readonly told: StreamHead | undefined;
};

/** The last frames of a complete stream: the kept finish, the balance on a chunk without choices, and the end mark. */
export function endOfStream(open: OpenChat, { closing, metered, available, told }: StreamEnding): string {
  const isAsked = open.call.request.stream_options?.include_usage === true;
  const usage = isAsked ? `,"usage":${JSON.stringify(metered.shown)}` : "";
  const last = `{${chunkHead(open, told)},"choices":[]${usage},${balanceMembers(open, available)}}`;
  return `${closing}data: ${last}\n\ndata: [DONE]\n\n`;
}

export type ErrorEnding = {
  readonly problem: Problem;
  readonly available: Credits;
  readonly told: StreamHead | undefined;
};

/** The one event that ends a stream that failed after it began. No end mark follows: a failure never looks complete. */
export function errorEvent(open: OpenChat, { problem, available, told }: ErrorEnding): string {
  const error = JSON.stringify(problem.toError(open.ask.requestId));
  const choices = '[{"index":0,"delta":{},"finish_reason":"error"}]';
  return `data: {${chunkHead(open, told)},"choices":${choices},"error":${error},${balanceMembers(open, available)}}\n\n`;
}

function chunkHead(open: OpenChat, told: StreamHead | undefined): string {
  const model = JSON.stringify(open.call.request.model);
  return `"id":"${told?.id ?? completionId(open)}","object":"chat.completion.chunk","created":${told?.created ?? createdAt(open)},"model":${model}`;
}
