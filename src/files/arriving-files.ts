import { Problem } from "../core/problems.ts";
import { sizeText } from "../core/sizes.ts";
import type { FileLimits, FileRoom } from "./file-limits.ts";
import type { FileOwner } from "./file-rows.ts";

type Taken = (owner: FileOwner) => Promise<FileRoom>;

/** Of one account and mode, while it has uploads under way. */
type Arriving = {
  /** Uploads that were begun and are not over, whether or not they have found room. */
  open: number;
  files: number;
  bytes: number;
  /** As last looked up, and what has landed since. Too much of it is found out by another look. */
  taken: FileRoom;
};

export type Announced = { readonly limits: FileLimits; readonly sizeBytes?: number | undefined };

/**
 * The uploads that are under way in this process. What they have brought so far, or have announced, takes room like what
 * is there: it lies on the disk as well, for as long as their senders like.
 */
export class ArrivingFiles {
  readonly #owners = new Map<string, Arriving>();
  readonly #taken: Taken;

  constructor(taken: Taken) {
    this.#taken = taken;
  }

  /** Whoever enters leaves. Rejects where there are too many at once, or no room. */
  async enter(owner: FileOwner, { limits, sizeBytes }: Announced): Promise<ArrivingFile> {
    const key = `${owner.accountId} ${owner.mode}`;
    const arriving = this.#owners.get(key) ?? nobody();
    const { atOnce = Infinity } = limits;
    if (arriving.open >= atOnce) throw new TooManyAtOnce(atOnce);
    arriving.open += 1;
    this.#owners.set(key, arriving);
    const gone = (): void => {
      arriving.open -= 1;
      if (arriving.open === 0) this.#owners.delete(key);
    };
    const file = new ArrivingFile({ arriving, room: limits.room, look: () => this.#taken(owner), gone });
    try {
      await file.begin(sizeBytes);
      return file;
    } catch (error) {
      file.leave();
      throw error;
    }
  }
}

function nobody(): Arriving {
  return { open: 0, files: 0, bytes: 0, taken: { files: 0, bytes: 0 } };
}

type Sharing = {
  readonly arriving: Arriving;
  /** Undefined: as much as it likes. */
  readonly room: FileRoom | undefined;
  readonly look: () => Promise<FileRoom>;
  readonly gone: () => void;
};

export class ArrivingFile {
  readonly #sharing: Sharing;
  #files = 0;
  #bytes = 0;

  constructor(sharing: Sharing) {
    this.#sharing = sharing;
  }

  /** Takes room for the announced length; for one byte where none was announced. */
  async begin(sizeBytes: number | undefined): Promise<void> {
    const { room, arriving, look } = this.#sharing;
    if (room === undefined) return;
    arriving.taken = await look();
    this.#take({ files: 1, bytes: Math.max(1, sizeBytes ?? 1) }, room);
  }

  /** The body, which breaks off where it finds no more room. */
  async *through(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
    const { room, arriving, look } = this.#sharing;
    let sizeBytes = 0;
    for await (const bytes of body) {
      sizeBytes += bytes.length;
      if (room !== undefined && sizeBytes > this.#bytes) {
        if (!fits(arriving, room, this.#more(sizeBytes))) arriving.taken = await look();
        this.#take(this.#more(sizeBytes), room);
      }
      yield bytes;
    }
  }

  #more(sizeBytes: number): FileRoom {
    return { files: 0, bytes: sizeBytes - this.#bytes };
  }

  #take(more: FileRoom, room: FileRoom): void {
    const { arriving } = this.#sharing;
    if (!fits(arriving, room, more)) throw new NoRoom(room);
    arriving.files += more.files;
    arriving.bytes += more.bytes;
    this.#files += more.files;
    this.#bytes += more.bytes;
  }

  /** Its row is about to tell its size: it must not count twice from then on. */
  landed(sizeBytes: number): void {
    const { arriving } = this.#sharing;
    const { files, bytes } = arriving.taken;
    arriving.taken = { files: files + 1, bytes: bytes + sizeBytes };
    this.#giveBack();
  }

  leave(): void {
    this.#giveBack();
    this.#sharing.gone();
  }

  #giveBack(): void {
    const { arriving } = this.#sharing;
    arriving.files -= this.#files;
    arriving.bytes -= this.#bytes;
    this.#files = 0;
    this.#bytes = 0;
  }
}

function fits({ taken, files, bytes }: Arriving, room: FileRoom, more: FileRoom): boolean {
  return taken.files + files + more.files <= room.files && taken.bytes + bytes + more.bytes <= room.bytes;
}

export class NoRoom extends Problem {
  constructor({ bytes, files }: FileRoom) {
    super("request_too_large", {
      param: "file",
      message:
        `Your files have no more room: ${sizeText(bytes)} and ${files} files at a time are what your plan has. ` +
        "Remove some, or wait until they expire.",
    });
  }
}

class TooManyAtOnce extends Problem {
  constructor(atOnce: number) {
    super("concurrency_limit_exceeded", {
      retryAfterSeconds: 1,
      message: `Too many uploads at once: your plan has ${atOnce}.`,
    });
  }
}
