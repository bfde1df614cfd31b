import { checkFields } from "../field-rules.ts";
import type { Size } from "../media/asked-size.ts";
import { Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { bflModels, creditsFor, megapixelsOf, sizeFor } from "./models.ts";
import type { BflModel } from "./models.ts";

const mostPixels = 4 * 1_048_576;
const wholePrompt = 300;

/** POST /v1/{model}: begins a picture. Webhooks are not called: the sandbox calls nobody. */
export function submit(request: RunRequest): RunAnswer {
  const model = bflModels.get(request.in("model"));
  if (model === undefined) throw new Refusal(404, "Not Found");
  const body = request.json();
  checkFields(body, model.rules, 422);
  const size = sizeFor(model, body);
  checkSize(model, size);
  const { prompt, seed, output_format: format } = body;
  const job = request.begin({
    ...size,
    prompt: typeof prompt === "string" ? prompt.slice(0, wholePrompt).toWellFormed() : "",
    ...(typeof seed === "number" ? { seed } : {}),
    format: format === "png" || format === "webp" ? format : "jpeg",
  });
  return json({
    id: job.id,
    // Who will be called is not told where to ask.
    ...(typeof body["webhook_url"] === "string"
      ? { status: "Pending", webhook_url: body["webhook_url"] }
      : { polling_url: `${request.baseUrl}/v1/get_result?id=${job.id}` }),
    cost: creditsFor(model, size),
    input_mp: inputMegapixels(body),
    output_mp: megapixelsOf(size),
  });
}

function checkSize({ step }: BflModel, { width, height }: Size): void {
  for (const [side, length] of Object.entries({ width, height })) {
    if (length % step !== 0) {
      throw new Refusal(422, `Input should be a multiple of ${step}`, { param: side });
    }
  }
  // Models that take a shape instead of pixels choose the pixels themselves.
  if (step > 1 && width * height > mostPixels) {
    throw new Refusal(422, "Input should not be larger than 4 megapixels", { param: "width" });
  }
}

/** Each reference picture counts one megapixel here: what is behind an address is not looked at. */
function inputMegapixels(body: Readonly<Record<string, unknown>>): number {
  return Object.keys(body).filter((name) => /^(?:input_)?image(?:_\d|_prompt)?$/.test(name)).length;
}
