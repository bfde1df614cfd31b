import { answerTo, emptyAnswer } from "../answers/answer.ts";
import type { Question } from "../answers/question.ts";
import { fingerprintOf } from "../answers/random.ts";
import { loadTokenizer } from "../answers/tokens.ts";
import { deliverStream, deliverWhole, obey } from "../delivery.ts";
import { directivesOf } from "../directives.ts";
import { sendJson } from "../exchange.ts";
import type { Exchange } from "../exchange.ts";
import { isObject, stringOr } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { outputLimit } from "./context-window.ts";
import { headersFor } from "./headers.ts";
import { inputUsage } from "./input-usage.ts";
import { messageBody } from "./message.ts";
import type { Message } from "./message.ts";
import { messageFrames } from "./message-frames.ts";
import { refuseMissing } from "./models.ts";
import { lastUserText, questionOf } from "./question.ts";
import { validRequest } from "./valid-request.ts";
import { checkVersion, generationOf } from "./versions.ts";

/** POST /v1/messages. */
export async function answerMessage(exchange: Exchange): Promise<void> {
  const request = validRequest(exchange.body, { version: checkVersion(exchange.headers), isCounting: false });
  const model = stringOr(request["model"], "");
  refuseMissing(model);
  const directives = directivesOf({ headers: exchange.headers, model, prompt: lastUserText(request) });
  await obey(directives, exchange);
  const tokenizer = await loadTokenizer();
  const input = await inputUsage(request, tokenizer, exchange.headers);
  const asked = questionOf(request, fingerprintOf(whatMatters(request)), directives);
  const question = { ...asked, maxTokens: limitOf(exchange, { model, asked, promptTokens: input.total }) };
  const answer = directives.fault === "empty" ? emptyAnswer : answerTo(question, tokenizer);
  const message: Message = {
    id: `msg_01${question.fingerprint.slice(0, 22)}`,
    model,
    answer,
    showsThinking: !isObject(request["thinking"]) || request["thinking"]["display"] !== "omitted",
    input: directives.fault === "nousage" ? undefined : input.shown,
    isBoundByWindow: question.maxTokens < asked.maxTokens,
  };
  const headers = headersFor(question.fingerprint, input.total + answer.outputTokens, exchange.now());
  if (request["stream"] === true) {
    await deliverStream(exchange, { frames: messageFrames(message), headers }, directives);
  } else {
    deliverWhole(exchange, { body: messageBody(message), headers }, directives);
  }
}

type Asking = { readonly model: string; readonly asked: Question; readonly promptTokens: number };

function limitOf({ windowOf }: Exchange, { model, asked, promptTokens }: Asking): number {
  const { maxTokens } = asked;
  return outputLimit({ promptTokens, maxTokens, window: windowOf(model), generation: generationOf(model) });
}

/** POST /v1/messages/count_tokens: what the same request would count as input. */
export async function countTokens(exchange: Exchange): Promise<void> {
  const request = validRequest(exchange.body, { version: checkVersion(exchange.headers), isCounting: true });
  const { total } = await inputUsage(request, await loadTokenizer());
  const headers = headersFor(fingerprintOf(exchange.body), 0, exchange.now());
  sendJson(exchange.response, 200, { body: { input_tokens: total }, headers });
}

/** How an answer travels and where it is cut does not change what it says. */
const unrelated = new Set(["stream", "max_tokens", "stop_sequences", "metadata"]);

function whatMatters(request: JsonObject): string {
  return JSON.stringify(Object.entries(request).filter(([name]) => !unrelated.has(name)));
}
