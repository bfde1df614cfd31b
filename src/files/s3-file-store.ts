import { Readable } from "node:stream";
import { GetObjectCommand, S3Client, S3ServiceException } from "@aws-sdk/client-s3";
import type { GetObjectCommandOutput } from "@aws-sdk/client-s3";
import type { Log } from "../core/log.ts";
import { digitsOf } from "./file-store.ts";
import type { ByteRange, FileStore, OpenedFile, PutFile, PutLimits } from "./file-store.ts";
import { Intake } from "./intake.ts";
import { removeObject } from "./s3-removal.ts";
import { uploadObject } from "./s3-upload.ts";

/**
 * The credential needs GetObject, PutObject, DeleteObject and AbortMultipartUpload on the keys, and on the bucket
 * ListBucket, without which a missing file looks like a forbidden one, and ListBucketMultipartUploads.
 */
export type S3Settings = {
  readonly bucket: string;
  readonly region: string;
  /** For S3 of another maker; without it Amazon's of the region. */
  readonly endpoint?: string | undefined;
  /** The bucket as the first part of the path instead of the host name. */
  readonly pathStyle?: boolean | undefined;
  /** Without them the SDK looks where it usually does: environment, shared files, the machine's role. */
  readonly credentials?: S3Credentials | undefined;
  /** Before every key, for a bucket that holds other things too: `skillboss/`. */
  readonly keyPrefix?: string | undefined;
  readonly log: Log;
};

export type S3Credentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
};

const connectTimeoutMs = 3_000;
const answerTimeoutMs = 60_000;
/** A download waits for its reader, and its connection with it. */
const idleTimeoutMs = 300_000;
/** Each open download has a connection of its own: the SDK's usual 50 would let a few slow readers stop all others. */
const mostConnections = 1_000;

/** Files in a bucket, for many nodes. Imported only where it is used: the SDK is large. */
export function s3FileStore(settings: S3Settings): FileStore {
  return new S3FileStore(settings);
}

class S3FileStore implements FileStore {
  readonly #client: S3Client;
  readonly #settings: S3Settings;
  /** Until this S3 says that it does not tell what was left unfinished. */
  #listsUnfinished = true;

  constructor(settings: S3Settings) {
    this.#settings = settings;
    this.#client = clientOf(settings);
  }

  async put(id: string, body: AsyncIterable<Buffer>, { maxBytes }: PutLimits): Promise<PutFile> {
    const intake = new Intake(maxBytes);
    await uploadObject(this.#client, this.#objectOf(id), intake.through(body));
    return intake.taken;
  }

  async open(id: string, range?: ByteRange): Promise<OpenedFile | undefined> {
    const wanted = range === undefined ? {} : { Range: `bytes=${range.start}-${range.end}` };
    try {
      return opened(
        await this.#client.send(new GetObjectCommand({ ...this.#objectOf(id), ...wanted })),
        range,
      );
    } catch (error) {
      if (!(error instanceof S3ServiceException)) throw error;
      if (error.name === "NoSuchKey") return undefined;
      if (error.$metadata.httpStatusCode === 416) throw behindEnd();
      throw error;
    }
  }

  async remove(id: string): Promise<void> {
    const asked = this.#listsUnfinished;
    const told = await removeObject(this.#client, this.#objectOf(id), asked);
    if (told || !asked) return;
    this.#listsUnfinished = false;
    this.#settings.log.warn(
      { bucket: this.#settings.bucket },
      "this S3 does not list unfinished uploads: give the bucket a rule that removes them after a day",
    );
  }

  close(): void {
    this.#client.destroy();
  }

  #objectOf(id: string): { readonly Bucket: string; readonly Key: string } {
    // Throws for what is no id.
    digitsOf(id);
    return { Bucket: this.#settings.bucket, Key: `${this.#settings.keyPrefix ?? ""}${id}` };
  }
}

function clientOf({ region, endpoint, pathStyle, credentials }: S3Settings): S3Client {
  const agent = { keepAlive: true, maxSockets: mostConnections };
  return new S3Client({
    region,
    forcePathStyle: pathStyle ?? false,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
    // The SDK's own checksums are an extension that other makers' S3 refuse.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    // The SDK would wait for a `continue` until the time for the whole answer is over, and many S3 never say it (RFC 9110
    // lets them). For that it also gives each larger piece a connection of its own.
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: connectTimeoutMs,
      requestTimeout: answerTimeoutMs,
      throwOnRequestTimeout: true,
      socketTimeout: idleTimeoutMs,
      httpAgent: agent,
      httpsAgent: agent,
    },
  });
}

function opened(
  { Body: body, ContentLength, ContentRange }: GetObjectCommandOutput,
  range?: ByteRange,
): OpenedFile {
  if (!(body instanceof Readable)) throw new Error("S3 gave no body");
  if (range === undefined) return { body, sizeBytes: Number(ContentLength) };
  const [, start, end, total] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(ContentRange ?? "") ?? [];
  const sizeBytes = Number(total);
  const isAsked = Number(start) === range.start && Number(end) === Math.min(range.end, sizeBytes - 1);
  if (isAsked) return { body, sizeBytes };
  // Whoever counts on the part would pass on too much.
  body.destroy();
  if (range.start >= sizeBytes) throw behindEnd();
  throw new Error("S3 gave another part than was asked for");
}

function behindEnd(): RangeError {
  return new RangeError("the range begins behind the end");
}
