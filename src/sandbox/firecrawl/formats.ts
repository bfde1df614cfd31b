import { isObject, stringOr } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { badRequest } from "../refusal.ts";

/** A form in which a page is wanted, with what belongs to it (a schema, a prompt). */
export type Format = { readonly type: string; readonly options: JsonObject };

const known = new Set(
  "markdown html rawHtml links images screenshot summary json changeTracking attributes branding".split(" "),
);

/** Formats as they may be written, by name or as objects; Markdown when none is named. */
export function formatsIn(written: unknown): readonly Format[] {
  if (written === undefined || written === null) return [{ type: "markdown", options: {} }];
  if (!Array.isArray(written)) throw badRequest("formats must be a list.", "formats");
  return written.map((item: unknown) => {
    const type = isObject(item) ? stringOr(item["type"], "") : String(item);
    if (!known.has(type)) throw badRequest(`There is no format ${JSON.stringify(type)}.`, "formats");
    const options = isObject(item) ? item : {};
    if (type === "json" && options["schema"] === undefined && options["prompt"] === undefined) {
      throw badRequest("The json format needs a schema or a prompt.", "formats");
    }
    return { type, options };
  });
}

/** Credits for one page: one, four more for JSON, four more through a stealthy proxy. */
export function creditsFor(formats: readonly Format[], proxy: unknown): number {
  const isRead = formats.some(({ type }) => type === "json");
  return 1 + (isRead ? 4 : 0) + (proxy === "stealth" || proxy === "enhanced" ? 4 : 0);
}
