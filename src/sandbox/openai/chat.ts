import { answerTo, emptyAnswer } from "../answers/answer.ts";
import type { Answer } from "../answers/answer.ts";
import type { Question } from "../answers/question.ts";
import { fingerprintOf } from "../answers/random.ts";
import { loadTokenizer } from "../answers/tokens.ts";
import type { Tokenizer } from "../answers/tokens.ts";
import { deliverStream, deliverWhole, obey } from "../delivery.ts";
import { directivesOf } from "../directives.ts";
import type { Exchange } from "../exchange.ts";
import { isObject, stringOr } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { dialectOf } from "./dialects.ts";
import { headersFor } from "./headers.ts";
import { refuseMissing } from "./models.ts";
import { completionBody } from "./completion.ts";
import type { Completion } from "./completion.ts";
import { completionFrames } from "./completion-frames.ts";
import { refuseTooLong } from "./context-window.ts";
import { logprobsWish } from "./logprobs.ts";
import { hasFunctions, lastUserText, questionOf } from "./question.ts";
import { promptTokensOf, usageOf } from "./usage.ts";
import { checkModel } from "./valid-model.ts";
import { validRequest } from "./valid-request.ts";

/** POST /v1/chat/completions. */
export async function answerChat(exchange: Exchange): Promise<void> {
  const request = validRequest(exchange.body);
  const model = stringOr(request["model"], "");
  refuseMissing(model);
  checkModel(request, exchange.provider);
  const directives = directivesOf({ headers: exchange.headers, model, prompt: lastUserText(request) });
  await obey(directives, exchange);
  const tokenizer = await loadTokenizer();
  const promptTokens = await promptTokensOf(request, tokenizer);
  refuseTooLong(request, promptTokens, exchange.windowOf(model));
  const question = questionOf(request, fingerprintOf(whatMatters(request)), directives);
  const answers =
    directives.fault === "empty"
      ? Array<Answer>(question.choices).fill(emptyAnswer)
      : await answersTo(question, tokenizer);
  const dialect = dialectOf(exchange.provider);
  const usage = usageOf(promptTokens, { answers, dialect });
  const completion: Completion = {
    id: `chatcmpl-${question.fingerprint.slice(0, 29)}`,
    created: Math.floor(exchange.now() / 1_000),
    model,
    answers,
    dialect,
    usage: directives.fault === "nousage" ? undefined : usage.shown,
    logprobs: logprobsWish(request, question.fingerprint),
    callsFunctions: hasFunctions(request),
  };
  const headers = headersFor(question.fingerprint, usage.total);
  if (request["stream"] === true) {
    const frames = completionFrames(completion, includesUsage(request));
    await deliverStream(exchange, { frames, headers }, directives);
  } else {
    deliverWhole(exchange, { body: completionBody(completion), headers }, directives);
  }
}

/** With a turn of the event loop after each: there may be 128, and others are being served. */
async function answersTo(question: Question, tokenizer: Tokenizer): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  while (answers.length < question.choices) {
    answers.push(answerTo(question, tokenizer, answers.length));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return answers;
}

function includesUsage({ stream_options }: JsonObject): boolean {
  return isObject(stream_options) && stream_options["include_usage"] === true;
}

/** How an answer travels, where it is cut and what is told about it does not change what it says. */
const unrelated = new Set([
  "stream",
  "stream_options",
  "max_tokens",
  "max_completion_tokens",
  "stop",
  "n",
  "user",
  "logprobs",
  "top_logprobs",
]);

function whatMatters(request: JsonObject): string {
  return JSON.stringify(Object.entries(request).filter(([name]) => !unrelated.has(name)));
}
