import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import type { S3Client } from "@aws-sdk/client-s3";
import type { S3Object } from "./s3-upload.ts";

/** Statuses of an S3 that has no list of uploads, or whose credential may not see it: asking again tells no more. */
const withoutList: ReadonlySet<number | undefined> = new Set([403, 405, 501]);

/**
 * Removes an object and, where this S3 tells of them, the parts of an upload that never became one. Answers whether it
 * told.
 */
export async function removeObject(
  client: S3Client,
  object: S3Object,
  asksForUnfinished: boolean,
): Promise<boolean> {
  const unfinished = asksForUnfinished ? await unfinishedUploads(client, object) : undefined;
  for (const UploadId of unfinished ?? []) await abort(client, { ...object, UploadId });
  await client.send(new DeleteObjectCommand({ ...object }));
  return unfinished !== undefined;
}

async function unfinishedUploads(
  client: S3Client,
  { Bucket, Key }: S3Object,
): Promise<readonly string[] | undefined> {
  try {
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: Key }));
    return Uploads.filter((upload) => upload.Key === Key).map(({ UploadId }) => UploadId ?? "");
  } catch (error) {
    if (error instanceof S3ServiceException && withoutList.has(error.$metadata.httpStatusCode))
      return undefined;
    throw error;
  }
}

async function abort(client: S3Client, upload: S3Object & { readonly UploadId: string }): Promise<void> {
  try {
    await client.send(new AbortMultipartUploadCommand({ ...upload }));
  } catch (error) {
    if (!(error instanceof S3ServiceException && error.name === "NoSuchUpload")) throw error;
  }
}
