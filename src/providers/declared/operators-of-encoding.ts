import type { Expression } from "../../core/endpoint.ts";
import { parseDataUrl } from "../../core/data-url.ts";
import type { DataUrl } from "../../core/data-url.ts";
import { textOf } from "./json-values.ts";
import { membersOf, ofOne, optionalMember } from "./operator-forms.ts";
import type { Operators } from "./operator-forms.ts";
import { faulty, missing } from "./place.ts";
import type { Evaluate, Place } from "./place.ts";

export const encodingOperators: Operators = {
  /** Hexadecimal text as base64; missing when it is none. */
  $hex: ofOne((value) =>
    typeof value === "string" && value.length % 2 === 0 && !/[^0-9a-f]/i.test(value)
      ? Buffer.from(value, "hex").toString("base64")
      : undefined,
  ),
  $dataurl: dataUrl,
  /** The content of a data URL as base64; missing for every other text. */
  $base64of: ofOne((value) => dataUrlOf(value)?.base64),
  /** The media type of a data URL; missing for every other text. */
  $mimeof: ofOne((value) => dataUrlOf(value)?.mediaType),
};

/** The start of a data URL, strictly: "Data: 5, 6" is a sentence. No client sends parameters without end. */
const longestStart = 1_000;
const start = /^data:(?:[\w.+-]+\/[\w.+-]+)?(?:;[\w.+-]+(?:=[^,;\s]*)?)*,/i;

export function dataUrlOf(value: unknown): DataUrl | undefined {
  return typeof value === "string" && start.test(value.slice(0, longestStart))
    ? parseDataUrl(value)
    : undefined;
}

/** `{url}` as it is where it has a value, else `{base64, mime?}` as a data URL. */
function dataUrl(argument: Expression, place: Place): Evaluate {
  const members = membersOf(argument, place, { needed: [], known: ["url", "base64", "mime"] });
  if (members === undefined) return missing;
  if (members["url"] === undefined && members["base64"] === undefined) {
    return faulty(place, "want a url or base64");
  }
  const url = optionalMember(members, "url", place);
  const base64 = optionalMember(members, "base64", place);
  const mime = optionalMember(members, "mime", place);
  return (scope) => {
    const given = textOf(url(scope));
    if (given !== undefined) return given;
    const content = base64(scope);
    if (typeof content !== "string") return undefined;
    return `data:${textOf(mime(scope)) ?? "application/octet-stream"};base64,${content}`;
  };
}
