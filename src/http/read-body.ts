import { isUtf8 } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";
import { GatheredBytes } from "../core/gathered-bytes.ts";
import { Problem } from "../core/problems.ts";
import { sizeText } from "../core/sizes.ts";

/**
 * Reads a whole body, or rejects: `request_too_large` as soon as the limit is passed, `unsupported_media_type` for a
 * compressed or foreign body, `invalid_json` for bytes that are not UTF-8. A client that asks before it sends its body
 * is told to go on only when the headers promise one that is taken.
 */
export function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  mostBytes: number,
): Promise<Buffer> {
  const refusal = refusalOf(request, mostBytes);
  if (refusal !== undefined) return Promise.reject(refusal);
  if (request.headers.expect?.toLowerCase() === "100-continue") response.writeContinue();
  return new Promise((resolve, reject) => {
    // Most bodies are one piece.
    let first: Buffer | undefined;
    let gathered: GatheredBytes | undefined;
    let sizeBytes = 0;
    const onData = (bytes: Buffer): void => {
      sizeBytes += bytes.length;
      if (sizeBytes > mostBytes) {
        request.off("data", onData);
        request.pause();
        reject(tooLarge(mostBytes));
      } else if (first === undefined) first = bytes;
      else (gathered ??= beginningWith(first)).add(bytes);
    };
    request.on("data", onData);
    request.on("error", () => reject(new Problem("invalid_request", { message: "The request broke off." })));
    request.on("end", () => {
      const body = gathered?.whole() ?? first ?? Buffer.alloc(0);
      if (isUtf8(body)) resolve(body);
      else reject(new Problem("invalid_json", { message: "The body is not valid UTF-8." }));
    });
  });
}

function beginningWith(first: Buffer): GatheredBytes {
  const gathered = new GatheredBytes();
  gathered.add(first);
  return gathered;
}

function refusalOf(request: IncomingMessage, mostBytes: number): Problem | undefined {
  const { headers } = request;
  const encoding = headers["content-encoding"];
  if (encoding !== undefined && encoding.toLowerCase() !== "identity")
    return new Problem("unsupported_media_type");
  const type = headers["content-type"];
  if (type !== undefined && !/^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(type))
    return new Problem("unsupported_media_type");
  const charset = type === undefined ? null : /charset\s*=\s*"?([\w-]+)/i.exec(type);
  if (charset !== null && !/^utf-?8$/i.test(charset[1] ?? "")) return new Problem("unsupported_media_type");
  return Number(headers["content-length"] ?? 0) > mostBytes ? tooLarge(mostBytes) : undefined;
}

function tooLarge(mostBytes: number): Problem {
  return new Problem("request_too_large", {
    message: `The request body is larger than ${sizeText(mostBytes)}.`,
  });
}
