import { fingerprintOf } from "../answers/random.ts";
import { isObject } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";

/** A document that was named in a request. */
export type Source = { readonly name: string; readonly pages: number };

const uploadScheme = "reducto://";
const mostPages = 500;
const longestName = 80;

/**
 * The document behind an input: an upload, an address, the job of an earlier parse. Nothing is fetched: an address tells the
 * number of pages by a part such as `40-pages`, otherwise its text decides.
 */
export function sourceIn(body: JsonObject): Source {
  const { input } = body;
  const first: unknown = Array.isArray(input) ? input[0] : input;
  const text = isObject(first) ? first["file_id"] : first;
  if (typeof text !== "string" || text === "") {
    throw new Refusal(422, "Field required", { param: "input", code: "missing" });
  }
  if (text.startsWith(uploadScheme)) return uploadedIn(text);
  if (!/^(?:https?|jobid|s3):\/\/./.test(text)) {
    throw new Refusal(422, "The input is neither an address nor an upload.", { param: "input" });
  }
  const told = /(\d{1,3})-pages/.exec(text)?.[1];
  const pages =
    told === undefined ? 1 + (Number.parseInt(fingerprintOf(text).slice(0, 4), 16) % 8) : Number(told);
  return {
    name:
      text
        .split(/[/?#]/)
        .findLast((part) => part !== "")
        ?.slice(0, longestName) ?? "",
    pages,
  };
}

function uploadedIn(id: string): Source {
  try {
    const text = Buffer.from(id.slice(uploadScheme.length).replace(/\.\w+$/, ""), "base64url").toString();
    const told: unknown = JSON.parse(text);
    if (Array.isArray(told) && typeof told[1] === "number") {
      return { name: String(told[0]), pages: Math.min(mostPages, Math.max(1, told[1])) };
    }
  } catch {
    // Told below.
  }
  throw new Refusal(404, "The uploaded file was not found.", { code: "told" });
}

/** POST /upload. The file is not kept: its name and the number of its pages are in the id. */
export function upload(request: RunRequest): RunAnswer {
  const [file] = request.files("file");
  if (file === undefined) throw new Refusal(422, "Field required", { param: "file", code: "missing" });
  const name = (file.filename ?? "document").slice(-longestName);
  const told = JSON.stringify([name, pagesIn(file.bytes)]);
  const extension = /\.(\w{1,5})$/.exec(name)?.[1] ?? "pdf";
  const id = Buffer.from(told).toString("base64url");
  return json({ file_id: `${uploadScheme}${id}.${extension}`, presigned_url: null });
}

/** Pages of a PDF as its page tree counts them; one for anything else. */
function pagesIn(bytes: Buffer): number {
  if (bytes.subarray(0, 5).toString("latin1") !== "%PDF-") return 1;
  const pages = bytes.toString("latin1").match(/\/Type\s*\/Page(?![a-zA-Z])/g)?.length ?? 1;
  return Math.min(mostPages, pages);
}
