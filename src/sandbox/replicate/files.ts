import { createHash } from "node:crypto";
import type { JsonObject } from "../json.ts";
import { Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";

const keptMs = 86_400_000;

/** POST /v1/files. What is uploaded is not kept: its name, size and digest are in the id. */
export function uploadFile(request: RunRequest): RunAnswer {
  const [file] = request.files("content");
  if (file === undefined) {
    throw new Refusal(422, "content is required", { param: "content", code: "missing" });
  }
  const digest = createHash("sha256").update(file.bytes).digest("hex");
  const name = (file.filename ?? "file").slice(0, 100);
  const told = [name, file.type.slice(0, 100), file.bytes.length, digest, request.now()];
  return json(described(told, request), { status: 201 });
}

/** GET /v1/files/{id}. */
export function getFile(request: RunRequest): RunAnswer {
  let told: unknown;
  try {
    told = JSON.parse(Buffer.from(request.in("id"), "base64url").toString());
  } catch {
    told = undefined;
  }
  if (!Array.isArray(told)) throw new Refusal(404, "The requested resource could not be found.");
  return json(described(told, request));
}

function described(told: readonly unknown[], request: RunRequest): JsonObject {
  const [name, type, size, digest, at] = told;
  const id = Buffer.from(JSON.stringify(told)).toString("base64url");
  const madeAt = typeof at === "number" && Number.isSafeInteger(at) && at < 8e15 ? at : 0;
  return {
    id,
    name,
    content_type: type,
    size,
    checksums: { sha256: digest },
    metadata: {},
    created_at: new Date(madeAt).toISOString(),
    expires_at: new Date(madeAt + keptMs).toISOString(),
    urls: { get: `${request.baseUrl}/v1/files/${id}` },
  };
}
