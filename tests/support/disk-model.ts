import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** What was done to files, in order. `file` numbers a file from its creation on, whatever it is called. */
export type DiskOperation =
  | { readonly kind: "create"; readonly path: string; readonly file: number }
  | { readonly kind: "write"; readonly file: number; readonly position: number; readonly data: Buffer }
  | { readonly kind: "truncate"; readonly file: number; readonly size: number }
  | { readonly kind: "sync"; readonly file: number }
  | { readonly kind: "directory"; readonly path: string }
  | { readonly kind: "rename"; readonly from: string; readonly to: string }
  | { readonly kind: "remove"; readonly path: string };

/** Disks write whole sectors; 4 KiB is also the page of the operating system's cache. */
const pageSize = 4_096;

type ModelFile = {
  size: number;
  syncedSize: number;
  readonly pages: Map<number, Buffer>;
  readonly syncedPages: Map<number, Buffer>;
  /** Pages written since the last sync, each with one of the versions it had on the way. */
  readonly unsynced: Map<number, Buffer>;
};

/**
 * A disk that loses power: what was synced stays, and of the rest any part may have arrived, in any order, page by page.
 * Names are taken to be safe at once: lost directory entries are not modelled, nor are disks that lie.
 */
export class DiskModel {
  readonly #random: () => number;
  readonly #files = new Map<number, ModelFile>();
  readonly #names = new Map<string, number>();
  readonly #directories = new Set<string>();

  constructor(random: () => number) {
    this.#random = random;
  }

  apply(operation: DiskOperation): void {
    switch (operation.kind) {
      case "create":
        this.#names.set(operation.path, operation.file);
        this.#files.set(operation.file, newFile());
        return;
      case "write":
        this.#write(this.#file(operation.file), operation.position, operation.data);
        return;
      case "truncate":
        truncate(this.#file(operation.file), operation.size);
        return;
      case "sync":
        sync(this.#file(operation.file));
        return;
      case "directory":
        this.#directories.add(operation.path);
        return;
      case "rename":
        this.#rename(operation.from, operation.to);
        return;
      case "remove":
        this.#names.delete(operation.path);
        this.#directories.delete(operation.path);
    }
  }

  /** What is found after the power comes back: with `drop` nothing that was not synced, with `tear` a random part of it. */
  writeImage(directory: string, unsynced: "drop" | "tear"): void {
    mkdirSync(directory, { recursive: true });
    for (const path of [...this.#directories].toSorted())
      mkdirSync(join(directory, path), { recursive: true, mode: 0o700 });
    for (const [path, number] of this.#names) {
      mkdirSync(dirname(join(directory, path)), { recursive: true, mode: 0o700 });
      writeFileSync(join(directory, path), this.#survivingContent(this.#file(number), unsynced), {
        mode: 0o600,
      });
    }
  }

  #survivingContent(file: ModelFile, unsynced: "drop" | "tear"): Buffer {
    const isNewSize = unsynced === "tear" && this.#random() < 0.5;
    const content = Buffer.alloc(isNewSize ? file.size : file.syncedSize);
    const pages = new Map(file.syncedPages);
    if (unsynced === "tear") {
      for (const [page, earlier] of file.unsynced) {
        const choice = this.#random();
        if (choice < 0.4) pages.set(page, file.pages.get(page) ?? earlier);
        else if (choice < 0.6) pages.set(page, earlier);
      }
    }
    for (const [page, data] of pages) data.copy(content, page * pageSize);
    return content;
  }

  #write(file: ModelFile, position: number, data: Buffer): void {
    for (let done = 0; done < data.length;) {
      const page = Math.floor((position + done) / pageSize);
      const offset = (position + done) % pageSize;
      const length = Math.min(pageSize - offset, data.length - done);
      const written = Buffer.alloc(pageSize);
      file.pages.get(page)?.copy(written);
      data.copy(written, offset, done, done + length);
      file.pages.set(page, written);
      if (!file.unsynced.has(page) || this.#random() < 0.5) file.unsynced.set(page, written);
      done += length;
    }
    file.size = Math.max(file.size, position + data.length);
  }

  /** Of a file or of a directory with all that is in it. */
  #rename(from: string, to: string): void {
    const moved = (path: string): string | undefined => {
      if (path === from) return to;
      return path.startsWith(`${from}/`) ? to + path.slice(from.length) : undefined;
    };
    for (const [path, file] of this.#names) {
      const target = moved(path);
      if (target === undefined) continue;
      this.#names.delete(path);
      this.#names.set(target, file);
    }
    for (const path of this.#directories) {
      const target = moved(path);
      if (target === undefined) continue;
      this.#directories.delete(path);
      this.#directories.add(target);
    }
  }

  #file(number: number): ModelFile {
    const file = this.#files.get(number);
    if (file === undefined) throw new Error(`file ${number} was never created`);
    return file;
  }
}

function newFile(): ModelFile {
  return { size: 0, syncedSize: 0, pages: new Map(), syncedPages: new Map(), unsynced: new Map() };
}

function sync(file: ModelFile): void {
  for (const page of file.unsynced.keys()) {
    const data = file.pages.get(page);
    if (data === undefined) file.syncedPages.delete(page);
    else file.syncedPages.set(page, data);
  }
  file.unsynced.clear();
  file.syncedSize = file.size;
}

function truncate(file: ModelFile, size: number): void {
  const kept = Math.ceil(size / pageSize);
  for (const [page, data] of file.pages) {
    if (page < kept) continue;
    file.pages.delete(page);
    if (!file.unsynced.has(page)) file.unsynced.set(page, data);
  }
  const last = file.pages.get(kept - 1);
  if (last !== undefined && size % pageSize !== 0) {
    const shortened = Buffer.alloc(pageSize);
    last.copy(shortened, 0, 0, size % pageSize);
    file.pages.set(kept - 1, shortened);
    file.unsynced.set(kept - 1, shortened);
  }
  file.size = size;
}
