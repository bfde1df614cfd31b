import fs from "node:fs";
import { relative, resolve } from "node:path";
import type { DiskOperation } from "./disk-model.ts";

/**
 * Notes everything this thread does to files under `root`, by standing between it and `node:fs`. For a thread of its own:
 * it never lets go. PGlite's file layer uses these functions only; a further one that changes files is refused.
 */
export function recordDisk(root: string, note: (operation: DiskOperation) => void): void {
  const recorder = new Recorder(resolve(root), note);
  recorder.watchDescriptors();
  recorder.watchNames();
}

class Recorder {
  readonly #root: string;
  readonly #note: (operation: DiskOperation) => void;
  readonly #names = new Map<string, number>();
  readonly #descriptors = new Map<number, number>();
  #fileCount = 0;

  constructor(root: string, note: (operation: DiskOperation) => void) {
    this.#root = root;
    this.#note = note;
  }

  watchDescriptors(): void {
    const { openSync, closeSync, writeSync, ftruncateSync, fsyncSync } = fs;
    fs.openSync = (path, flags, mode) => {
      const descriptor = openSync(path, flags, mode);
      this.#opened(descriptor, path, flags);
      return descriptor;
    };
    fs.closeSync = (descriptor) => {
      this.#descriptors.delete(descriptor);
      closeSync(descriptor);
    };
    fs.writeSync = (...parameters: unknown[]): number => {
      const [descriptor, buffer, offset, length, position] = parameters;
      if (typeof descriptor !== "number") throw new TypeError("no descriptor");
      const file = this.#descriptors.get(descriptor);
      if (file === undefined) return Reflect.apply(writeSync, fs, parameters);
      if (!ArrayBuffer.isView(buffer) || typeof position !== "number")
        throw new Error("written in an unknown way");
      const start = buffer.byteOffset + Number(offset);
      const data = Buffer.copyBytesFrom(new Uint8Array(buffer.buffer, start, Number(length)));
      const written = writeSync(descriptor, data, 0, data.length, position);
      this.#note({ kind: "write", file, position, data: data.subarray(0, written) });
      return written;
    };
    fs.ftruncateSync = (descriptor, size) => {
      ftruncateSync(descriptor, size);
      const file = this.#descriptors.get(descriptor);
      if (file !== undefined) this.#note({ kind: "truncate", file, size: size ?? 0 });
    };
    fs.fsyncSync = (descriptor) => {
      fsyncSync(descriptor);
      const file = this.#descriptors.get(descriptor);
      if (file !== undefined) this.#note({ kind: "sync", file });
    };
  }

  watchNames(): void {
    const { mkdirSync, renameSync, unlinkSync, rmdirSync, truncateSync, writeFileSync } = fs;
    Object.assign(fs, {
      mkdirSync: (path: string, settings?: fs.MakeDirectoryOptions) => {
        const made = mkdirSync(path, settings);
        this.#note({ kind: "directory", path: this.#inner(path) });
        return made;
      },
      renameSync: (from: string, to: string) => {
        renameSync(from, to);
        this.#renamed(this.#inner(from), this.#inner(to));
      },
      unlinkSync: (path: string) => {
        unlinkSync(path);
        this.#removed(this.#inner(path));
      },
      rmdirSync: (path: string) => {
        rmdirSync(path);
        this.#removed(this.#inner(path));
      },
      truncateSync: (path: string, size?: number) => {
        truncateSync(path, size);
        const file = this.#names.get(this.#inner(path));
        if (file !== undefined) this.#note({ kind: "truncate", file, size: size ?? 0 });
      },
      writeFileSync: (path: string, data: string, settings?: fs.WriteFileOptions) => {
        if (data !== "") throw new Error("written in an unknown way");
        writeFileSync(path, data, settings);
        this.#created(this.#inner(path));
      },
      symlinkSync: () => {
        throw new Error("symbolic links are not recorded");
      },
    });
  }

  #opened(descriptor: number, path: fs.PathLike, flags: fs.OpenMode): void {
    const name = this.#inner(String(path));
    if (name.startsWith("..")) return;
    if (fs.fstatSync(descriptor).isDirectory()) return;
    const file = this.#names.get(name) ?? this.#created(name);
    this.#descriptors.set(descriptor, file);
    if (typeof flags === "number" && (flags & fs.constants.O_TRUNC) !== 0)
      this.#note({ kind: "truncate", file, size: 0 });
  }

  #created(path: string): number {
    this.#fileCount += 1;
    this.#names.set(path, this.#fileCount);
    this.#note({ kind: "create", path, file: this.#fileCount });
    return this.#fileCount;
  }

  #renamed(from: string, to: string): void {
    this.#note({ kind: "rename", from, to });
    for (const [path, file] of this.#names) {
      if (path !== from && !path.startsWith(`${from}/`)) continue;
      this.#names.delete(path);
      this.#names.set(to + path.slice(from.length), file);
    }
  }

  #removed(path: string): void {
    this.#names.delete(path);
    this.#note({ kind: "remove", path });
  }

  #inner(path: string): string {
    return relative(this.#root, resolve(path));
  }
}
