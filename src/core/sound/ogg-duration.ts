import { believable, opusSamples } from "./opus-packet.ts";

type Codec = { readonly sampleRate: number; readonly skip: number; readonly isOpus: boolean };

/** One logical stream of the file: sound, or something else that is left alone. */
type Stream = {
  readonly codec: Codec | undefined;
  /** Of the first and the last page on which a packet ends: samples since the stream began. */
  firstGranule: number | undefined;
  lastGranule: number;
  opusSamples: number;
};

type Page = {
  readonly isFirst: boolean;
  readonly isContinued: boolean;
  readonly granule: number;
  readonly serial: number;
  readonly lacing: Buffer;
  readonly body: Buffer;
};

/** A page holds a second of sound or less: a stream whose first page ends later was cut from a longer one. */
const longestPageSeconds = 10;
/** Many more than any file has side by side. */
const mostStreams = 64;

/** Streams that follow each other are added up; those that run side by side are not: the longest sound counts. */
export function oggSeconds(bytes: Buffer): number | undefined {
  let total = 0;
  let isSound = false;
  let chain = new Map<number, Stream>();
  let hasBody = false;
  for (const page of pagesOf(bytes)) {
    if (page.isFirst && hasBody) {
      total += secondsOf(chain) ?? 0;
      chain = new Map();
      hasBody = false;
    }
    if (page.isFirst) {
      if (chain.size < mostStreams) chain.set(page.serial, openStream(page));
      continue;
    }
    hasBody = true;
    const stream = chain.get(page.serial);
    if (stream?.codec === undefined) continue;
    isSound = true;
    readPage(stream, page);
  }
  return isSound ? total + (secondsOf(chain) ?? 0) : undefined;
}

function openStream(page: Page): Stream {
  return { codec: readCodec(page.body), firstGranule: undefined, lastGranule: 0, opusSamples: 0 };
}

function secondsOf(chain: ReadonlyMap<number, Stream>): number | undefined {
  let longest: number | undefined;
  for (const { codec, firstGranule = 0, lastGranule, opusSamples: decoded } of chain.values()) {
    if (codec === undefined) continue;
    const begin = firstGranule > longestPageSeconds * codec.sampleRate ? firstGranule : codec.skip;
    const declared = Math.max(lastGranule - begin, 0) / codec.sampleRate;
    longest = Math.max(longest ?? 0, believable(declared, decoded / 48_000) ?? 0);
  }
  return longest;
}

/** A granule of -1 says that no packet ends on the page. */
function readPage(stream: Stream, page: Page): void {
  if (page.granule > 0) {
    stream.firstGranule ??= page.granule;
    stream.lastGranule = Math.max(stream.lastGranule, page.granule);
  }
  if (stream.codec?.isOpus === true) stream.opusSamples += samplesOnPage(page);
}

function samplesOnPage({ body, lacing, isContinued }: Page): number {
  let samples = 0;
  let at = 0;
  let startsPacket = !isContinued;
  for (const size of lacing) {
    if (startsPacket && size > 0 && !isTags(body, at))
      samples += opusSamples(body[at] ?? 0, body[at + 1] ?? 0);
    startsPacket = size < 255;
    at += size;
  }
  return samples;
}

/** The second packet of a stream. */
function isTags(body: Buffer, at: number): boolean {
  return body[at] === 0x4f && body.toString("latin1", at, at + 8) === "OpusTags";
}

function readCodec(packet: Buffer): Codec | undefined {
  const start = packet.toString("latin1", 0, 9);
  if (start.startsWith("OpusHead") && packet.length >= 12)
    return { sampleRate: 48_000, skip: packet.readUInt16LE(10), isOpus: true };
  if (start.startsWith("\x01vorbis") && packet.length >= 16) return plain(packet.readUInt32LE(12));
  if (start.startsWith("\x7fFLAC") && packet.length >= 30) return plain(packet.readUIntBE(27, 3) >> 4);
  if (start.startsWith("Speex   ") && packet.length >= 40) return plain(packet.readUInt32LE(36));
  return undefined;
}

function plain(sampleRate: number): Codec | undefined {
  return sampleRate === 0 ? undefined : { sampleRate, skip: 0, isOpus: false };
}

function* pagesOf(bytes: Buffer): Generator<Page> {
  let at = 0;
  while (at + 27 <= bytes.length) {
    if (bytes.toString("latin1", at, at + 4) !== "OggS") {
      const next = bytes.indexOf("OggS", at + 1, "latin1");
      if (next === -1) return;
      at = next;
      continue;
    }
    const lacing = bytes.subarray(at + 27, at + 27 + (bytes[at + 26] ?? 0));
    const start = at + 27 + lacing.length;
    const size = lacing.reduce((sum, length) => sum + length, 0);
    const flags = bytes[at + 5] ?? 0;
    yield {
      isContinued: (flags & 1) === 1,
      isFirst: (flags & 2) === 2,
      granule: Number(bytes.readBigInt64LE(at + 6)),
      serial: bytes.readUInt32LE(at + 14),
      lacing,
      body: bytes.subarray(start, start + size),
    };
    at = start + size;
  }
}
