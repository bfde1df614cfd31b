import type { Job } from "../job.ts";
import { numberIn, stringOr } from "../json.ts";
import { Refusal } from "../refusal.ts";
import { bytes } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { sentencesOn } from "../web/prose.ts";
import { pptxOf } from "./pptx.ts";
import type { Slide } from "./pptx.ts";

const weekMs = 604_800_000;
const mostCards = 75;
const picture = { width: 960, height: 540 };

/** Where the file is that was asked for; good for a week from the end of the work. */
export function exportUrlOf(job: Job, request: RunRequest): string | undefined {
  const { exportAs } = job.facts;
  const { title, cards } = deckOf(job);
  if (exportAs === "pdf") return request.fileUrlOf(job, { kind: "pdf", title, pages: cards }, weekMs);
  if (exportAs === "png") return request.fileUrlOf(job, { kind: "png", seed: job.seed, ...picture }, weekMs);
  if (exportAs !== "pptx") return undefined;
  const expires = job.endsAt + (job.orders.fileMs ?? weekMs);
  return `${request.baseUrl}/exports/${job.id}/slides.pptx?expires=${expires}`;
}

/** GET /exports/{id}/slides.pptx?expires=, open to whoever has the address. */
export function sendSlides(request: RunRequest): RunAnswer {
  const job = request.job(request.in("id"));
  if (job === undefined) throw new Refusal(404, "Not Found");
  if (request.now() >= Number(request.query.get("expires"))) throw new Refusal(403, "Request has expired");
  const { title, cards } = deckOf(job);
  const slides = Array.from({ length: cards }, (_, at): Slide => {
    const text = sentencesOn(title, 2, `${job.seed}${at}`).join(" ");
    return { title: at === 0 ? title : `${title}, ${at + 1}`, text };
  });
  return bytes("application/vnd.openxmlformats-officedocument.presentationml.presentation", pptxOf(slides));
}

function deckOf({ facts }: Job): { readonly title: string; readonly cards: number } {
  const cards = Math.min(mostCards, Math.max(1, numberIn(facts["cards"]) ?? 1));
  return { title: stringOr(facts["title"], ""), cards };
}
