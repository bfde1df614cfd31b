import type { IncomingMessage } from "node:http";
import { Problem } from "../core/problems.ts";
import { sizeText } from "../core/sizes.ts";
import { fileLimitsOf } from "../files/file-limits.ts";
import type { FileLimits } from "../files/file-limits.ts";
import type { FileRecord } from "../files/file-rows.ts";
import type { Door, Visit } from "./door.ts";
import { shownFile } from "./shown-file.ts";
import type { FileDoorsHouse } from "./shown-file.ts";
import { mostFieldBytes, multipartUpload, rawUpload, uploadFormOf } from "./upload-form.ts";
import type { UploadForm } from "./upload-form.ts";

/** `POST /v1/files`: the bytes go from the connection to the store piece by piece. */
export function fileUploadDoor(house: FileDoorsHouse): Door {
  return {
    method: "POST",
    path: "/v1/files",
    access: "caller",
    summary:
      "Stores a file: as the body with its content-type and `?name=`, or as the part `file` of multipart/form-data.",
    answers: "The file, with an address for its content that needs no key and holds until `expires_at`.",
    async attend(visit, request, response) {
      const form = uploadFormOf(request.headers);
      const limits = fileLimitsOf(visit.caller().plan);
      refuseAnnounced(request, form, limits.maxBytes);
      if (request.headers.expect?.toLowerCase() === "100-continue") response.writeContinue();
      const source = bytesOf(request, house.stalledClientMs);
      let file: FileRecord;
      try {
        file = await store({ house, visit, form, source, limits });
      } finally {
        await source.return();
      }
      return { status: 200, body: shownFile(file, visit, house) };
    },
  };
}

type Incoming = {
  readonly house: FileDoorsHouse;
  readonly visit: Visit<unknown>;
  readonly form: UploadForm;
  readonly source: AsyncGenerator<Buffer, void, undefined>;
  readonly limits: FileLimits;
};

async function store({ house, visit, form, source, limits }: Incoming): Promise<FileRecord> {
  const { query, headers } = visit;
  const { name, claimedType, body } =
    form.kind === "raw"
      ? rawUpload(source, { claimedType: form.claimedType, query, headers })
      : await multipartUpload(source, form.boundary);
  const { accountId, mode } = visit.caller();
  return house.files.store({ accountId, mode, limits, name, hint: claimedType, body });
}

/** Before the first byte is asked for. A form's own bytes are not the file's. */
function refuseAnnounced(request: IncomingMessage, form: UploadForm, maxBytes: number): void {
  const allowance = form.kind === "raw" ? 0 : 2 * mostFieldBytes;
  if (Number(request.headers["content-length"] ?? 0) <= maxBytes + allowance) return;
  throw new Problem("request_too_large", {
    param: "file",
    message: `The file is larger than ${sizeText(maxBytes)}.`,
  });
}

/**
 * Leaves the connection open when the reader stops early: the refusal has to travel on it. A client that sends nothing
 * for too long is cut off; the time that the store takes is not the client's.
 */
async function* bytesOf(
  request: IncomingMessage,
  stalledClientMs: number,
): AsyncGenerator<Buffer, void, undefined> {
  const pieces = request.iterator({ destroyOnReturn: false });
  try {
    for (;;) {
      const timer = setTimeout(() => request.destroy(), stalledClientMs);
      const next = await pieces.next().finally(() => clearTimeout(timer));
      if (next.done === true) return;
      yield next.value;
    }
  } catch (error) {
    throw new Problem("invalid_request", { message: "The request broke off.", cause: error });
  } finally {
    await pieces.return?.();
  }
}
