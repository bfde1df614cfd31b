import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  NoSuchUpload,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import type { CompletedPart, S3Client } from "@aws-sdk/client-s3";
import { GatheredBytes } from "../core/gathered-bytes.ts";

export type S3Object = { readonly Bucket: string; readonly Key: string };

/** All that an upload holds in memory, twice at most. S3 takes 10,000 parts: 80 GB. */
export const partBytes = 8 * 1024 * 1024;

/**
 * Sends a body whose length nobody knows: in one request when it is small, in parts otherwise. S3 shows an object only
 * when it is whole. What fails is given up at once; what cannot even be given up is found by `removeObject`.
 */
export async function uploadObject(
  client: S3Client,
  object: S3Object,
  body: AsyncIterable<Buffer>,
): Promise<void> {
  const pieces = piecesOf(body);
  let upload: Multipart | undefined;
  try {
    const first = await pieces.next();
    const firstBytes = first.done === true ? Buffer.alloc(0) : first.value;
    const second = await pieces.next();
    if (second.done === true) {
      await client.send(new PutObjectCommand({ ...object, Body: firstBytes }));
      return;
    }
    upload = await Multipart.start(client, object);
    await upload.add(firstBytes);
    await upload.add(second.value);
    for await (const bytes of pieces) await upload.add(bytes);
    await upload.complete();
  } catch (error) {
    await upload?.abort();
    throw error;
  } finally {
    await pieces.return();
  }
}

class Multipart {
  readonly #client: S3Client;
  readonly #upload: S3Object & { readonly UploadId: string };
  readonly #parts: CompletedPart[] = [];
  #sizeBytes = 0;

  private constructor(client: S3Client, upload: S3Object & { readonly UploadId: string }) {
    this.#client = client;
    this.#upload = upload;
  }

  static async start(client: S3Client, object: S3Object): Promise<Multipart> {
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ ...object }));
    if (UploadId === undefined) throw new Error("S3 gave the upload no id");
    return new Multipart(client, { ...object, UploadId });
  }

  async add(bytes: Buffer): Promise<void> {
    const PartNumber = this.#parts.length + 1;
    const { ETag } = await this.#client.send(
      new UploadPartCommand({ ...this.#upload, PartNumber, Body: bytes }),
    );
    this.#parts.push({ PartNumber, ETag });
    this.#sizeBytes += bytes.length;
  }

  /**
   * The SDK asks again when an answer is lost. Amazon's then says once more that it is done; MinIO's, and others, know no
   * such upload any more, although it has become the object.
   */
  async complete(): Promise<void> {
    const MultipartUpload = { Parts: this.#parts };
    try {
      await this.#client.send(new CompleteMultipartUploadCommand({ ...this.#upload, MultipartUpload }));
    } catch (error) {
      if (!(error instanceof NoSuchUpload && (await this.#isThere()))) throw error;
    }
  }

  /** A key is written once, so an object of this size is this upload. */
  async #isThere(): Promise<boolean> {
    const { Bucket, Key } = this.#upload;
    const head = await this.#client.send(new HeadObjectCommand({ Bucket, Key })).catch(() => undefined);
    return head?.ContentLength === this.#sizeBytes;
  }

  /** Never rejects: the reason for giving up is what matters. */
  async abort(): Promise<void> {
    await this.#client.send(new AbortMultipartUploadCommand({ ...this.#upload })).catch(() => undefined);
  }
}

/** Joins what comes to pieces of the size of a part; only the last is smaller. */
async function* piecesOf(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let gathered = new GatheredBytes();
  for await (const bytes of body) {
    let rest = bytes;
    while (gathered.sizeBytes + rest.length >= partBytes) {
      const taken = rest.subarray(0, partBytes - gathered.sizeBytes);
      gathered.add(taken);
      yield gathered.whole();
      rest = rest.subarray(taken.length);
      gathered = new GatheredBytes();
    }
    if (rest.length > 0) gathered.add(rest);
  }
  if (gathered.sizeBytes > 0) yield gathered.whole();
}
