/** Boxes that hold nothing but boxes; all others are passed over unless they are read. */
const containers = new Set(["moov", "trak", "mdia", "minf", "stbl", "edts", "moof", "traf", "mvex"]);
/** A file has some thousands of boxes at most; forged ones of eight bytes each may be millions. */
const mostBoxes = 200_000;
/** Samples that a frame of AAC holds at least. */
const aacFrame = 1024;

type Track = {
  isSound: boolean;
  isAac: boolean;
  sampleRate: number;
  timescale: number;
  /** In units of `timescale`. */
  duration: number;
  frames: number;
  /** What the edit list shows, in units of the movie's timescale. */
  editDuration: number;
};

type Movie = {
  timescale: number;
  duration: number;
  readonly tracks: Map<number, Track>;
  /** Track id → what a fragment's frame lasts unless it says otherwise. */
  readonly frameDefaults: Map<number, number>;
  track: Track;
  fragmentTrack: number;
  fragmentDefault: number;
};

/** The longest sound track; the movie's own length where no track is sound. */
export function mp4Seconds(bytes: Buffer): number | undefined {
  const movie = openMovie();
  for (const { type, body } of boxesOf(bytes)) {
    if (type === "trak") movie.track = emptyTrack();
    readers[type]?.(movie, body);
  }
  let longest: number | undefined;
  for (const track of movie.tracks.values()) {
    const seconds = secondsOf(track, movie.timescale);
    if (track.isSound && seconds !== undefined) longest = Math.max(longest ?? 0, seconds);
  }
  return longest ?? (movie.timescale > 0 ? movie.duration / movie.timescale : undefined);
}

function secondsOf(track: Track, movieTimescale: number): number | undefined {
  if (track.timescale === 0) return undefined;
  const media = track.duration / track.timescale;
  const frames = track.isAac && track.sampleRate > 0 ? (track.frames * aacFrame) / track.sampleRate : 0;
  // Table and header may be forged; how many frames there are is not.
  if (frames > media * 1.5 + 1) return frames;
  const edited = movieTimescale > 0 ? track.editDuration / movieTimescale : 0;
  return edited > media / 2 && edited < media ? edited : media;
}

function emptyTrack(): Track {
  return {
    isSound: false,
    isAac: false,
    sampleRate: 0,
    timescale: 0,
    duration: 0,
    frames: 0,
    editDuration: 0,
  };
}

function openMovie(): Movie {
  return {
    timescale: 0,
    duration: 0,
    tracks: new Map(),
    frameDefaults: new Map(),
    track: emptyTrack(),
    fragmentTrack: 0,
    fragmentDefault: 0,
  };
}

const readers: Readonly<Record<string, (movie: Movie, body: Buffer) => void>> = {
  mvhd(movie, body) {
    ({ timescale: movie.timescale, duration: movie.duration } = readTimes(body));
  },
  tkhd(movie, body) {
    movie.tracks.set(u32(body, body[0] === 1 ? 20 : 12), movie.track);
  },
  mdhd(movie, body) {
    movie.track.timescale = readTimes(body).timescale;
  },
  hdlr(movie, body) {
    movie.track.isSound = text(body, 8, 4) === "soun";
  },
  elst(movie, body) {
    const size = body[0] === 1 ? 20 : 12;
    for (let at = 8; at + size <= body.length; at += size)
      movie.track.editDuration += body[0] === 1 ? u64(body, at) : u32(body, at);
  },
  stsd(movie, body) {
    movie.track.isAac = text(body, 12, 4) === "mp4a";
    movie.track.sampleRate = u32(body, 40) / 65_536;
  },
  stts(movie, body) {
    for (let at = 8; at + 8 <= body.length; at += 8)
      movie.track.duration += u32(body, at) * u32(body, at + 4);
  },
  stsz(movie, body) {
    movie.track.frames += u32(body, 8);
  },
  trex(movie, body) {
    movie.frameDefaults.set(u32(body, 4), u32(body, 12));
  },
  tfhd(movie, body) {
    const flags = u32(body, 0);
    movie.fragmentTrack = u32(body, 4);
    const at = 8 + ((flags & 1) === 0 ? 0 : 8) + ((flags & 2) === 0 ? 0 : 4);
    const own = (flags & 8) === 0 ? undefined : u32(body, at);
    movie.fragmentDefault = own ?? movie.frameDefaults.get(movie.fragmentTrack) ?? 0;
  },
  trun: readFragment,
};

/** A run of frames in a fragment: `moov` of such a file has no table. */
function readFragment(movie: Movie, body: Buffer): void {
  const track = movie.tracks.get(movie.fragmentTrack);
  if (track === undefined) return;
  const flags = u32(body, 0);
  const count = u32(body, 4);
  track.frames += count;
  if ((flags & 0x100) === 0) {
    track.duration += count * movie.fragmentDefault;
    return;
  }
  const start = 8 + ((flags & 1) === 0 ? 0 : 4) + ((flags & 4) === 0 ? 0 : 4);
  const size = 4 * [0x100, 0x200, 0x400, 0x800].filter((flag) => (flags & flag) !== 0).length;
  for (let at = start, left = count; left > 0 && at + size <= body.length; at += size, left--)
    track.duration += u32(body, at);
}

function readTimes(body: Buffer): { readonly timescale: number; readonly duration: number } {
  if (body[0] === 1) return { timescale: u32(body, 20), duration: u64(body, 24) };
  const duration = u32(body, 16);
  return { timescale: u32(body, 12), duration: duration === 0xffff_ffff ? 0 : duration };
}

type Box = { readonly type: string; readonly body: Buffer };

/** All boxes in the order of their headers, without a stack: a container's boxes simply come next. */
function* boxesOf(bytes: Buffer): Generator<Box> {
  let at = 0;
  for (let count = 0; at + 8 <= bytes.length && count < mostBoxes; count++) {
    const type = text(bytes, at + 4, 4);
    const declared = u32(bytes, at);
    const head = declared === 1 ? 16 : 8;
    const size = declared === 1 ? u64(bytes, at + 8) : declared;
    const end = size < head ? bytes.length : at + size;
    yield { type, body: bytes.subarray(at + head, end) };
    at = containers.has(type) ? at + head : end;
  }
}

function text(bytes: Buffer, at: number, length: number): string {
  return bytes.toString("latin1", at, at + length);
}

/** Zero where the bytes end: a box that is cut short says nothing. */
function u32(bytes: Buffer, at: number): number {
  return at + 4 <= bytes.length ? bytes.readUInt32BE(at) : 0;
}

function u64(bytes: Buffer, at: number): number {
  return at + 8 <= bytes.length ? Number(bytes.readBigUInt64BE(at)) : 0;
}
