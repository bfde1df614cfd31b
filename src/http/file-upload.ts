import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import { Problem } from "../core/problems.ts";
import { sizeText } from "../core/sizes.ts";
import { fileLimitsOf } from "../files/file-limits.ts";
import type { FileLimits } from "../files/file-limits.ts";
import type { FileRecord } from "../files/file-rows.ts";
import { arrivingBytes } from "./arriving-bytes.ts";
import type { Door, DoorAnswer, Visit } from "./door.ts";
import { fileForm, shownFile } from "./shown-file.ts";
import type { FileDoorsHouse } from "./shown-file.ts";
import { mostFieldBytes, multipartUpload, rawUpload, uploadFormOf } from "./upload-form.ts";
import type { UploadedFile, UploadForm } from "./upload-form.ts";

/** Other fields, such as OpenAI's `purpose`, are passed over. */
const uploadForm = z.looseObject({ file: z.file().describe("One file, not empty.") });

/** `POST /v1/files`: the bytes go from the connection to the store piece by piece. */
export function fileUploadDoor(house: FileDoorsHouse): Door {
  return {
    method: "POST",
    path: "/v1/files",
    access: "caller",
    summary:
      "Stores a file: as the body with its content-type and `?name=`, or as the part `file` of multipart/form-data.",
    answers: "The file, with an address for its content that needs no key and holds until `expires_at`.",
    answerForm: fileForm,
    query: { name: z.string().describe("Of the file, where it is the body.") },
    headers: { "x-file-name": z.string().describe("The same, percent-encoded.") },
    takes: [
      { mediaType: "multipart/form-data", form: uploadForm },
      { mediaType: "*/*", form: z.file() },
    ],
    attend: (visit, request, response) =>
      received({ house, visit, request, response }, async (incoming): Promise<DoorAnswer> => {
        const file = await store(incoming);
        return { status: 200, body: shownFile(file, visit, house) };
      }),
    readOver: (visit, request, response) => received({ house, visit, request, response }, readOver),
  };
}

type Receiving = Pick<Incoming, "house" | "visit"> & {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
};

/** What `take` makes of an upload, which is asked for when its headers promise one that is taken. */
async function received<Made>(
  { house, visit, request, response }: Receiving,
  take: (incoming: Incoming) => Promise<Made>,
): Promise<Made> {
  const form = uploadFormOf(request.headers);
  const limits = fileLimitsOf(visit.caller().plan);
  refuseAnnounced(request, form, limits.maxBytes);
  if (request.headers.expect?.toLowerCase() === "100-continue") response.writeContinue();
  const source = arrivingBytes(request, house);
  try {
    return await take({ house, visit, form, source, limits });
  } finally {
    await source.return();
  }
}

type Incoming = {
  readonly house: FileDoorsHouse;
  readonly visit: Visit<unknown>;
  readonly form: UploadForm;
  readonly source: AsyncGenerator<Buffer, void, undefined>;
  readonly limits: FileLimits;
};

async function store(incoming: Incoming): Promise<FileRecord> {
  const { house, visit, limits } = incoming;
  const { name, claimedType, body } = await uploadIn(incoming);
  const { accountId, mode } = visit.caller();
  const sizeBytes = announcedBytes(incoming);
  return house.files.store({ accountId, mode, limits, name, hint: claimedType, sizeBytes, body });
}

/** Undefined of a form, whose own bytes are not the file's: it takes its room as it comes. */
function announcedBytes({ form, visit }: Incoming): number | undefined {
  const length = visit.headers["content-length"];
  return form.kind === "raw" && length !== undefined ? Number(length) : undefined;
}

async function readOver(incoming: Incoming): Promise<void> {
  const { maxBytes } = incoming.limits;
  let sizeBytes = 0;
  for await (const bytes of (await uploadIn(incoming)).body) {
    sizeBytes += bytes.length;
    if (sizeBytes > maxBytes) throw tooLarge(maxBytes);
  }
}

async function uploadIn({ visit, form, source }: Incoming): Promise<UploadedFile> {
  const { query, headers, digest } = visit;
  return form.kind === "raw"
    ? rawUpload(source, { claimedType: form.claimedType, query, headers, digest })
    : multipartUpload(source, form.boundary, digest);
}

/** Before the first byte is asked for. A form's own bytes are not the file's. */
function refuseAnnounced(request: IncomingMessage, form: UploadForm, maxBytes: number): void {
  const allowance = form.kind === "raw" ? 0 : 2 * mostFieldBytes;
  if (Number(request.headers["content-length"] ?? 0) <= maxBytes + allowance) return;
  throw tooLarge(maxBytes);
}

function tooLarge(maxBytes: number): Problem {
  return new Problem("request_too_large", {
    param: "file",
    message: `The file is larger than ${sizeText(maxBytes)}.`,
  });
}
