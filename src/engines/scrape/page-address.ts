import { Problem } from "../../core/problems.ts";

export const onePageOrSeveral = "Name one page as `url`, or several as `urls`.";

/** Throws for what is no address of the web; which of them may be fetched is for the way out to say. */
export function pageAddress(url: string, param: string): string {
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol))
    throw new Problem("invalid_request", {
      message: "Give a full address, such as https://example.com/.",
      param,
    });
  parsed.hash = "";
  return parsed.href;
}
