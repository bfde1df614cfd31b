import type { Job, JobState } from "../job.ts";
import { checkFields } from "../field-rules.ts";
import type { FieldRules } from "../field-rules.ts";
import { isObject, numberIn, stringOr } from "../json.ts";
import { Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { titleFrom } from "../web/prose.ts";
import { exportUrlOf } from "./export-file.ts";

const rules: FieldRules = {
  inputText: { is: "text", isRequired: true, least: 1, most: 400_000 },
  textMode: { is: "text", isRequired: true, oneOf: ["generate", "condense", "preserve"] },
  format: { is: "text", oneOf: ["presentation", "document", "social", "webpage"] },
  themeId: { is: "text" },
  numCards: { is: "integer", least: 1, most: 75 },
  cardSplit: { is: "text", oneOf: ["auto", "inputTextBreaks"] },
  additionalInstructions: { is: "text", most: 5_000 },
  exportAs: { is: "text", oneOf: ["pdf", "pptx", "png"] },
  textOptions: { is: "object" },
  imageOptions: { is: "object" },
  cardOptions: { is: "object" },
  sharingOptions: { is: "object" },
};
const usualCards = 10;
const longestTitle = 80;

/** POST /v1.0/generations: the id alone. */
export function generate(request: RunRequest): RunAnswer {
  const body = request.json();
  checkFields(body, rules, 400);
  const { imageOptions } = body;
  const source = isObject(imageOptions) ? stringOr(imageOptions["source"], "") : "";
  const job = request.begin({
    title: titleFrom(stringOr(body["inputText"], "").slice(0, longestTitle)),
    cards: numberIn(body["numCards"]) ?? usualCards,
    isDrawn: source === "" || source === "aiGenerated",
    exportAs: stringOr(body["exportAs"], ""),
  });
  return json({ generationId: job.id }, { status: 201 });
}

const statuses: Readonly<Record<JobState, string>> = {
  waiting: "pending",
  working: "pending",
  done: "completed",
  failed: "failed",
  refused: "failed",
  cancelled: "failed",
};

/** GET /v1.0/generations/{id}. */
export function getGeneration(request: RunRequest): RunAnswer {
  const job = request.polled(request.in("id"));
  if (job === undefined) throw new Refusal(404, "Generation ID not found.");
  const status = statuses[job.state];
  const told = { generationId: job.id, status };
  if (status === "pending") return json(told);
  if (status === "failed") {
    return json({ ...told, error: { message: "The generation failed.", statusCode: 500 } });
  }
  const exportUrl = exportUrlOf(job, request);
  return json({
    ...told,
    gammaId: `g_${job.seed}`,
    gammaUrl: `https://gamma.app/docs/${job.seed}`,
    ...(exportUrl === undefined ? {} : { exportUrl }),
    credits: { deducted: creditsOf(job), remaining: 3_000 },
  });
}

const creditsPerCard = 3;
const creditsPerPicture = 2;

function creditsOf({ facts }: Job): number {
  const cards = numberIn(facts["cards"]) ?? usualCards;
  return cards * (creditsPerCard + (facts["isDrawn"] === true ? creditsPerPicture : 0));
}
