import { checkFields } from "../field-rules.ts";
import type { FieldRules } from "../field-rules.ts";
import type { JsonObject } from "../json.ts";
import { badRequest } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { isWebAddress, pageAt } from "../web/page.ts";
import { documentOf } from "./document.ts";
import { formatsIn } from "./formats.ts";

export const scrapeRules: FieldRules = {
  onlyMainContent: { is: "boolean" },
  includeTags: { is: "list" },
  excludeTags: { is: "list" },
  waitFor: { is: "integer", least: 0, most: 60_000 },
  timeout: { is: "integer", least: 1 },
  mobile: { is: "boolean" },
  headers: { is: "object" },
  actions: { is: "list" },
  location: { is: "object" },
  proxy: { is: "text", oneOf: ["basic", "stealth", "enhanced", "auto"] },
  maxAge: { is: "integer", least: 0 },
  storeInCache: { is: "boolean" },
};

/** POST /v2/scrape. */
export function scrape(request: RunRequest): RunAnswer {
  const body = request.json();
  checkFields(body, { url: { is: "text", isRequired: true }, ...scrapeRules }, 400);
  const wish = { formats: formatsIn(body["formats"]), proxy: body["proxy"] };
  return json({ success: true, data: documentOf(pageAt(addressIn(body)), wish, request) });
}

const longestAddress = 1_500;

export function addressIn({ url }: JsonObject): string {
  if (isWebAddress(url) && url.length <= longestAddress) return url;
  throw badRequest("url must be an http or https address.", "url");
}
