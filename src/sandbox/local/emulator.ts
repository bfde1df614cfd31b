import { fingerprintOf } from "../answers/random.ts";
import type { Emulator } from "../emulator.ts";
import { stringOr, stringsIn } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { soundLengthMs, spokenMs } from "../speech/spoken.ts";
import { transcriptOf } from "../speech/transcript.ts";
import { hitsFor } from "../web/hits.ts";
import { htmlOf, isWebAddress, markdownOf, pageAt } from "../web/page.ts";
import { sentencesOn } from "../web/prose.ts";

/** The server's own engines, as test calls see them: nothing is fetched, sent or spoken. `POST /engines/<name>`. */
export const local: Emulator = {
  credentials: [],
  routes: [
    { method: "POST", path: "/engines/scrape", answer: scrape },
    { method: "POST", path: "/engines/parse", answer: parse },
    { method: "POST", path: "/engines/search", answer: search },
    { method: "POST", path: "/engines/image", answer: image },
    { method: "POST", path: "/engines/speech", answer: speech },
    { method: "POST", path: "/engines/email", answer: email },
    { method: "POST", path: "/engines/transcribe", answer: transcribe },
  ],
  refuse: ({ status, message }) => json({ error: { message } }, { status }),
};

function result(output: JsonObject, usage: JsonObject): RunAnswer {
  return json({ output, usage });
}

function scrape(request: RunRequest): RunAnswer {
  const { url, urls, formats } = request.json();
  if (Array.isArray(urls)) {
    const results = stringsIn(urls).map((one) => (isWebAddress(one) ? pageOf(one, formats) : noPage(one)));
    return result({ results }, { requests: results.filter((one) => !("error" in one)).length });
  }
  return result(pageOf(url, formats), { requests: 1 });
}

/** Of several pages one that cannot be read fails alone. */
function noPage(sourceURL: string): JsonObject {
  const message = "Give a full address, such as https://example.com/.";
  return { error: { code: "invalid_request", message }, metadata: { sourceURL } };
}

function pageOf(url: unknown, formats: unknown): JsonObject {
  if (!isWebAddress(url)) throw new Refusal(400, "url must be an http or https address.");
  const page = pageAt(url);
  const wanted = stringsIn(formats);
  const wants = (format: string): boolean => wanted.includes(format);
  return {
    ...(wanted.length === 0 || wants("markdown") ? { markdown: markdownOf(page) } : {}),
    ...(wants("html") ? { html: htmlOf(page) } : {}),
    ...(wants("links") ? { links: page.links } : {}),
    metadata: { title: page.title, description: page.description, sourceURL: url, statusCode: 200 },
  };
}

function parse(request: RunRequest): RunAnswer {
  const { document_url: url } = request.json();
  const chunks = [1, 2].map((page) => ({
    content: sentencesOn(`${stringOr(url, "a document")} page ${page}`, 4).join(" "),
    blocks: [],
  }));
  return result({ result: { type: "full", chunks }, pages: 2, usage: { num_pages: 2 } }, { pages: 2 });
}

const usualHits = 5;

function search(request: RunRequest): RunAnswer {
  const { query, max_results: count } = request.json();
  const hits = hitsFor(stringOr(query, ""), { count: typeof count === "number" ? count : usualHits });
  const results = hits.map(({ title, url, snippet }) => ({
    type: "text",
    name: title,
    url,
    content: snippet,
  }));
  return result({ results }, { requests: 1 });
}

const usualSize = 512;

function image(request: RunRequest): RunAnswer {
  const inputs = request.json();
  const side = (value: unknown): number => (typeof value === "number" ? value : usualSize);
  const [width, height] = [side(inputs["width"] ?? inputs["size"]), side(inputs["height"] ?? inputs["size"])];
  const url = request.fileUrl({ kind: "png", seed: request.seed, width, height });
  return result({ images: [{ url, width, height, content_type: "image/png" }] }, { images: 1 });
}

function speech(request: RunRequest): RunAnswer {
  const text = stringOr(request.json()["text"], "");
  const ms = spokenMs(text);
  const url = request.fileUrl({ kind: "wav", seed: request.seed, ms });
  const audio = { url, content_type: "audio/wav", duration_seconds: ms / 1000 };
  return result({ audio }, { chars: Array.from(text).length });
}

function email(request: RunRequest): RunAnswer {
  const { to, cc, bcc } = request.json();
  const accepted = [to, cc, bcc].flatMap((list) => (typeof list === "string" ? [list] : stringsIn(list)));
  const id = fingerprintOf(`${request.seed}\n${accepted.join()}`).slice(0, 32);
  return result(
    { message_id: `<${id}@sandbox>`, status: "sent", accepted, rejected: [] },
    { emails: accepted.length },
  );
}

function transcribe(request: RunRequest): RunAnswer {
  const data = request.json()["audio_data"];
  const ms = soundLengthMs(Buffer.from(stringOr(data, ""), "base64"));
  const { text } = transcriptOf(request.seed, ms);
  return result({ text, duration_seconds: ms / 1000 }, { audio_seconds: ms / 1000 });
}
