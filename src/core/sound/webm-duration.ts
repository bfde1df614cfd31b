import { believable, opusSamples } from "./opus-packet.ts";

/** Elements by their id as it stands in the file. */
const id = {
  segment: 0x18538067,
  info: 0x1549a966,
  timescale: 0x2ad7b1,
  duration: 0x4489,
  tracks: 0x1654ae6b,
  track: 0xae,
  trackNumber: 0xd7,
  trackType: 0x83,
  codec: 0x86,
  cluster: 0x1f43b675,
  clusterTime: 0xe7,
  simpleBlock: 0xa3,
  blockGroup: 0xa0,
  block: 0xa1,
} as const;

const containers: ReadonlySet<number> = new Set([
  id.segment,
  id.info,
  id.tracks,
  id.track,
  id.cluster,
  id.blockGroup,
]);

/** More than an hour of blocks; forged ones of two bytes each may be millions. */
const mostElements = 2_000_000;

type Track = { number: number; isSound: boolean; isOpus: boolean };

type Reading = {
  /** Nanoseconds per unit of time. */
  timescale: number;
  duration: number | undefined;
  track: Track;
  readonly tracks: Track[];
  sound: Track | undefined;
  clusterTime: number;
  /** In units of time: where the last block begins. */
  lastBlock: number;
  opusSamples: number;
};

/**
 * The declared length; browsers that record live declare none, and then it is read from the blocks. Only the first sound
 * track is looked at.
 */
export function webmSeconds(bytes: Buffer): number | undefined {
  const reading = openReading();
  for (const { element, body } of elementsOf(bytes)) read(reading, element, body);
  const toSeconds = (units: number) => (units * reading.timescale) / 1e9;
  const declared = reading.duration === undefined ? undefined : toSeconds(reading.duration);
  const byBlocks = reading.lastBlock === 0 ? undefined : toSeconds(reading.lastBlock);
  return believable(positive(declared) ?? byBlocks, reading.opusSamples / 48_000);
}

function positive(value: number | undefined): number | undefined {
  return value !== undefined && value > 0 ? value : undefined;
}

function openReading(): Reading {
  return {
    timescale: 1_000_000,
    duration: undefined,
    track: { number: 0, isSound: false, isOpus: false },
    tracks: [],
    sound: undefined,
    clusterTime: 0,
    lastBlock: 0,
    opusSamples: 0,
  };
}

function read(reading: Reading, element: number, body: Buffer): void {
  switch (element) {
    case id.timescale:
      reading.timescale = readNumber(body);
      return;
    case id.duration:
      reading.duration = readFloat(body);
      return;
    case id.track:
    case id.trackNumber:
    case id.trackType:
    case id.codec:
      readTrack(reading, element, body);
      return;
    case id.clusterTime:
      reading.sound ??= reading.tracks.find((track) => track.isSound);
      reading.clusterTime = readNumber(body);
      return;
    case id.simpleBlock:
    case id.block:
      readBlock(reading, body);
  }
}

function readTrack(reading: Reading, element: number, body: Buffer): void {
  switch (element) {
    case id.track:
      reading.track = { number: 0, isSound: false, isOpus: false };
      if (reading.tracks.length < 64) reading.tracks.push(reading.track);
      return;
    case id.trackNumber:
      reading.track.number = readNumber(body);
      return;
    case id.trackType:
      reading.track.isSound = readNumber(body) === 2;
      return;
    case id.codec:
      reading.track.isOpus = body.toString("latin1") === "A_OPUS";
  }
}

/** Track number, two bytes of time within the cluster, flags, then the packet. */
function readBlock(reading: Reading, body: Buffer): void {
  const number = readSize(body, 0);
  if (number === undefined || number.value !== reading.sound?.number || body.length < number.end + 5) return;
  reading.lastBlock = Math.max(reading.lastBlock, reading.clusterTime + body.readInt16BE(number.end));
  const isLaced = ((body[number.end + 2] ?? 0) & 0x06) !== 0;
  if (!reading.sound.isOpus || isLaced) return;
  reading.opusSamples += opusSamples(body[number.end + 3] ?? 0, body[number.end + 4] ?? 0);
}

type Element = { readonly element: number; readonly body: Buffer };

/** All elements in order, without a stack; a container of unknown length is no different from another. */
function* elementsOf(bytes: Buffer): Generator<Element> {
  let at = 0;
  for (let count = 0; at < bytes.length && count < mostElements; count++) {
    const length = Math.clz32((bytes[at] ?? 0) << 24) + 1;
    if (length > 4 || at + length > bytes.length) return;
    const element = bytes.readUIntBE(at, length);
    const size = readSize(bytes, at + length);
    if (size === undefined) return;
    const end = Math.min(size.end + (size.isUnknown ? 0 : size.value), bytes.length);
    yield { element, body: bytes.subarray(size.end, end) };
    at = containers.has(element) ? size.end : end;
  }
}

type Size = { readonly value: number; readonly end: number; readonly isUnknown: boolean };

/** A number of one to eight bytes; the zeros before its first one say how many. All ones: not known. */
function readSize(bytes: Buffer, at: number): Size | undefined {
  const first = bytes[at] ?? 0;
  const length = Math.clz32(first << 24) + 1;
  if (first === 0 || at + length > bytes.length) return undefined;
  let value = first & (0xff >> length);
  let isUnknown = value === 0xff >> length;
  for (const byte of bytes.subarray(at + 1, at + length)) {
    value = value * 256 + byte;
    isUnknown &&= byte === 0xff;
  }
  return { value, end: at + length, isUnknown };
}

function readNumber(body: Buffer): number {
  let value = 0;
  for (const byte of body.subarray(0, 8)) value = value * 256 + byte;
  return value;
}

function readFloat(body: Buffer): number | undefined {
  if (body.length === 8) return body.readDoubleBE();
  return body.length === 4 ? body.readFloatBE() : undefined;
}
