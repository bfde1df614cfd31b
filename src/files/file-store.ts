import type { Readable } from "node:stream";

/** Part of a file in bytes; both ends belong to it. An end beyond the file's is cut to it. */
export type ByteRange = { readonly start: number; readonly end: number };

export type PutLimits = { readonly maxBytes: number };

export type PutFile = {
  readonly sizeBytes: number;
  /** The beginning: what is told apart by its bytes is told by these. */
  readonly head: Buffer;
};

export type OpenedFile = {
  /** Whoever opened it reads it to its end or destroys it. */
  readonly body: Readable;
  /** Of the whole file, also when a range was asked for; NaN where the home does not tell it. */
  readonly sizeBytes: number;
};

/**
 * Where the bytes of files lie, each under the id of its row. Ids come from `newId`; any other text is a bug and throws.
 * What is put never changes, so an id is put once.
 */
export type FileStore = {
  /**
   * Takes a body piece by piece, at the pace of the home. Nothing can be opened before it is whole and safe from a crash.
   * Rejects with `FileTooLarge` as soon as the limit is passed and with the body's own error when that breaks off; both
   * leave nothing behind.
   */
  put(id: string, body: AsyncIterable<Buffer>, limits: PutLimits): Promise<PutFile>;
  /** Undefined when there is no such file. Rejects with a RangeError when the range begins behind the last byte. */
  open(id: string, range?: ByteRange): Promise<OpenedFile | undefined>;
  /** Also what a `put` that was killed left behind. Removing what is not there is no fault. */
  remove(id: string): Promise<void>;
  /** Lets go of connections. */
  close(): void;
};

export class FileTooLarge extends Error {
  readonly maxBytes: number;

  constructor(maxBytes: number) {
    super(`the file is larger than ${maxBytes} bytes`);
    this.name = "FileTooLarge";
    this.maxBytes = maxBytes;
  }
}

const idForm = /^[a-z]+_([0-9a-f]{32})$/;

/** Whether a text can be the id of a file in a store, and so is safe as a part of a path. */
export function isStoreId(id: string): boolean {
  return idForm.test(id);
}

/** The digits of an id. Its first twelve are a time, the others chance. */
export function digitsOf(id: string): string {
  const digits = idForm.exec(id)?.[1];
  if (digits === undefined) throw new Error("this is not the id of a file in a store");
  return digits;
}
