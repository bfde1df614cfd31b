import { randomFrom } from "../answers/random.ts";
import { fillSchema } from "../answers/schema-filler.ts";
import { topicsOf } from "../answers/topics.ts";
import { withoutDirectives } from "../directives.ts";
import { checkFields } from "../field-rules.ts";
import type { FieldRules } from "../field-rules.ts";
import { isObject, stringOr } from "../json.ts";
import { badRequest } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { hitsFor } from "../web/hits.ts";
import { answerOn } from "../web/prose.ts";
import { costOfAnswer } from "./cost.ts";
import { contentsIn, requestIdOf, resultOf } from "./result.ts";

const rules: FieldRules = {
  query: { is: "text", isRequired: true, least: 1 },
  text: { is: "boolean" },
  systemPrompt: { is: "text" },
  outputSchema: { is: "object" },
  userLocation: { is: "text", least: 2, most: 2 },
};

const sourcesOfAnswer = 4;

/** POST /answer, whole. */
export function answer(request: RunRequest): RunAnswer {
  const body = request.json();
  checkFields(body, rules, 400);
  if (body["stream"] === true) throw badRequest("The sandbox answers whole only.", "stream");
  const query = stringOr(body["query"], "");
  const wanted = contentsIn({ text: body["text"] === true });
  const citations = hitsFor(query, { count: sourcesOfAnswer }).map((hit) => resultOf(hit, wanted));
  return json({
    requestId: requestIdOf(request),
    answer: isObject(body["outputSchema"])
      ? objectOn(query, body["outputSchema"], request)
      : answerOn(query, 3),
    citations,
    costDollars: costOfAnswer(),
  });
}

function objectOn(query: string, schema: unknown, { seed }: RunRequest): unknown {
  const { words, things } = topicsOf(withoutDirectives(query));
  return fillSchema(schema, { random: randomFrom(seed), words: [...things, ...words] });
}
