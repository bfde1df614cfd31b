import { mkdir, open, rename, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { digitsOf } from "./file-store.ts";
import type { ByteRange, FileStore, OpenedFile, PutFile, PutLimits } from "./file-store.ts";
import { Intake } from "./intake.ts";

const folderMode = 0o700;
const fileMode = 0o600;
/** Larger than a stream's usual 64 KB: fewer turns for the same bytes. */
const readBytes = 256 * 1024;

/** Files in a folder of this machine. Nodes that share a database must share this folder too. */
export function localFileStore(directory: string): FileStore {
  return new LocalFileStore(directory);
}

type Place = { readonly folder: string; readonly path: string; readonly draftPath: string };

class LocalFileStore implements FileStore {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async put(id: string, body: AsyncIterable<Buffer>, { maxBytes }: PutLimits): Promise<PutFile> {
    const { folder, path, draftPath } = this.#placeOf(id);
    await makeFolder(folder);
    const draft = await open(draftPath, "wx", fileMode);
    const intake = new Intake(maxBytes);
    try {
      await write(draft, intake.through(body));
      await rename(draftPath, path);
      await syncFolder(folder);
    } catch (error) {
      await this.remove(id);
      throw error;
    }
    return intake.taken;
  }

  async open(id: string, range?: ByteRange): Promise<OpenedFile | undefined> {
    const file = await openExisting(this.#placeOf(id).path);
    if (file === undefined) return undefined;
    try {
      const { size } = await file.stat();
      if (range !== undefined && range.start >= size) throw new RangeError("the range begins behind the end");
      const body = file.createReadStream({ ...range, highWaterMark: readBytes });
      return { body, sizeBytes: size };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async remove(id: string): Promise<void> {
    const { folder, path, draftPath } = this.#placeOf(id);
    await rm(path, { force: true });
    await rm(draftPath, { force: true });
    // Or a power cut could bring the bytes back after their row is gone.
    await syncFolder(folder);
  }

  close(): void {}

  /** In one of 256 folders, by the last digits: the first are a time and would fill one folder after the other. */
  #placeOf(id: string): Place {
    const folder = join(this.#directory, digitsOf(id).slice(-2));
    const path = join(folder, id);
    return { folder, path, draftPath: `${path}.part` };
  }
}

async function write(draft: FileHandle, body: AsyncIterable<Buffer>): Promise<void> {
  try {
    // Unlike `write`, `writeFile` goes on from where it was until all bytes are written.
    for await (const bytes of body) await draft.writeFile(bytes);
    await draft.sync();
  } finally {
    await draft.close();
  }
}

async function makeFolder(folder: string): Promise<void> {
  const made = await mkdir(folder, { recursive: true, mode: folderMode });
  if (made === undefined) return;
  for (let path = folder; path.length >= made.length; path = dirname(path)) await syncFolder(dirname(path));
}

/** Makes new names in a folder last. */
async function syncFolder(folder: string): Promise<void> {
  const opened = await openExisting(folder);
  if (opened === undefined) return;
  try {
    await opened.sync();
  } finally {
    await opened.close();
  }
}

async function openExisting(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, "r");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
