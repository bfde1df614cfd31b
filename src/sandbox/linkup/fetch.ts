import { checkFields } from "../field-rules.ts";
import type { FieldRules } from "../field-rules.ts";
import { Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { htmlOf, isWebAddress, markdownOf, pageAt } from "../web/page.ts";

const rules: FieldRules = {
  url: { is: "text", isRequired: true },
  renderJs: { is: "boolean" },
  includeRawHtml: { is: "boolean" },
  extractImages: { is: "boolean" },
};

/** POST /v1/fetch. */
export function fetchPage(request: RunRequest): RunAnswer {
  const body = request.json();
  checkFields(body, rules, 400);
  const { url, includeRawHtml, extractImages } = body;
  if (!isWebAddress(url)) throw new Refusal(400, "url must be an http or https address.", { param: "url" });
  const page = pageAt(url);
  return json({
    markdown: markdownOf(page),
    ...(includeRawHtml === true ? { rawHtml: htmlOf(page) } : {}),
    ...(extractImages === true
      ? { images: [{ alt: page.title, url: new URL("/images/1.png", url).href }] }
      : {}),
  });
}
