import { randomUUID } from "node:crypto";
import { request as requestHttp } from "node:http";
import type { IncomingMessage } from "node:http";
import { request as requestHttps } from "node:https";
import { Problem } from "../../core/problems.ts";
import { fileNameOf } from "./listen.ts";
import type { Recording } from "./listen.ts";
import { readServerAnswer } from "./transcript.ts";
import type { Transcript } from "./transcript.ts";

export type WhisperServer = {
  readonly url: URL;
  readonly apiKey: string | undefined;
  /** What OpenAI-compatible servers want to be told; whisper.cpp's own has only one. */
  readonly model: string;
};

const maxAnswerBytes = 20_000_000;

/**
 * The address that transcribes. A server's own (`/inference` of whisper.cpp, `…/audio/transcriptions`) is taken as it is;
 * to any other the OpenAI-compatible path is added.
 */
export function readServerUrl(address: string): URL | undefined {
  const url = URL.parse(address);
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined;
  const path = url.pathname.replace(/\/+$/, "");
  if (/\/(?:inference|audio\/transcriptions)$/.test(path)) return url;
  url.pathname = `${path}${path.endsWith("/v1") ? "" : "/v1"}/audio/transcriptions`;
  return url;
}

/** Asks the server once: listening twice costs the same again. */
export async function askServer(server: WhisperServer, recording: Recording): Promise<Transcript> {
  const { statusCode = 0, body } = await post(server, recording);
  if (statusCode < 200 || statusCode > 299) throw refusal(statusCode, body);
  const transcript = readServerAnswer(body);
  if (transcript === undefined)
    throw new Problem("upstream_invalid_response", {
      message: "The whisper server sent an answer that cannot be read.",
      cause: body.slice(0, 300),
    });
  return transcript;
}

type Answer = { readonly statusCode: number | undefined; readonly body: string };

async function post({ url, apiKey, model }: WhisperServer, recording: Recording): Promise<Answer> {
  const { bytes, format, language, prompt, signal } = recording;
  const boundary = `skillboss-${randomUUID()}`;
  const fields = { model, response_format: "verbose_json", language, prompt };
  const form = formOf(fields, { bytes, name: fileNameOf(format) }, boundary);
  const headers = {
    "content-type": `multipart/form-data; boundary=${boundary}`,
    "content-length": form.length,
    accept: "application/json",
    ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
  };
  const request = url.protocol === "https:" ? requestHttps : requestHttp;
  try {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      request(url, { method: "POST", headers, agent: false, signal }, resolve).on("error", reject).end(form);
    });
    return { statusCode: answer.statusCode, body: await bodyOf(answer) };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Problem) throw error;
    throw new Problem("upstream_unavailable", {
      message: "The whisper server could not be reached.",
      cause: error,
    });
  }
}

/** Values are ours or were checked; none can hold the boundary, which nobody knows. */
function formOf(
  fields: Readonly<Record<string, string | undefined>>,
  file: { readonly bytes: Buffer; readonly name: string },
  boundary: string,
): Buffer {
  const part = (disposition: string) => `--${boundary}\r\ncontent-disposition: form-data; ${disposition}`;
  const texts = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [`${part(`name="${name}"`)}\r\n\r\n${value}\r\n`],
  );
  const head = `${part(`name="file"; filename="${file.name}"`)}\r\ncontent-type: application/octet-stream\r\n\r\n`;
  return Buffer.concat([
    Buffer.from(texts.join("") + head),
    file.bytes,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
}

async function bodyOf(answer: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of answer as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > maxAnswerBytes)
      throw new Problem("upstream_invalid_response", { message: "The whisper server said too much." });
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("utf8");
}

/** Its own words are for the log; what is wrong with our access to it is not the customer's fault. */
function refusal(status: number, body: string): Problem {
  const cause = `${status} ${body.slice(0, 300)}`;
  if (status === 413)
    return new Problem("request_too_large", { message: "The recording is too large.", cause });
  if (status === 400 || status === 415 || status === 422)
    return new Problem("upstream_rejected_request", {
      message: "The whisper server cannot read this recording.",
      cause,
    });
  return new Problem("upstream_unavailable", {
    message: "The whisper server does not transcribe right now.",
    cause,
  });
}
