/** WAVE tags whose block alignment says how many bytes one moment of sound takes: PCM, float, A-law, µ-law, extensible. */
const plainTags = new Set([1, 3, 6, 7, 0xfffe]);
/** ADPCM: its format chunk tells how many samples a block holds. */
const blockTags = new Set([2, 0x11]);

type Format = {
  readonly sampleRate: number;
  readonly bytesPerSecond: number;
  readonly blockBytes: number;
  /** Of formats whose blocks all hold the same number of samples; 0 where it is not told. */
  readonly blockSamples: number;
};

type Chunks = {
  readonly format: Format | undefined;
  /** Samples per channel as a `fact` chunk declares them. */
  readonly factSamples: number | undefined;
  readonly dataBytes: number | undefined;
};

/** Writers that stream leave sizes of 0 or near 2³¹ or 2³²: what does not fit is cut to the bytes that are there. */
export function wavSeconds(bytes: Buffer): number | undefined {
  const { format, factSamples, dataBytes } = readChunks(bytes);
  if (format === undefined || dataBytes === undefined || format.sampleRate === 0) return undefined;
  if (format.blockSamples > 0 && format.blockBytes > 0)
    return (Math.floor(dataBytes / format.blockBytes) * format.blockSamples) / format.sampleRate;
  const byRate = format.bytesPerSecond > 0 ? dataBytes / format.bytesPerSecond : undefined;
  const byFact = factSamples === undefined ? undefined : factSamples / format.sampleRate;
  if (byRate === undefined || byFact === undefined) return byFact ?? byRate;
  return byFact < byRate / 2 ? byRate : byFact;
}

/** Where the samples lie: from `start`, `size` bytes that are really there. */
export function findWavData(
  bytes: Buffer,
): { readonly start: number; readonly size: number; readonly isOpenEnded: boolean } | undefined {
  for (const chunk of chunksOf(bytes)) {
    if (chunk.id !== "data") continue;
    const there = bytes.length - chunk.start;
    const isOpenEnded = chunk.size === 0 || chunk.size > there;
    return { start: chunk.start, size: isOpenEnded ? there : chunk.size, isOpenEnded };
  }
  return undefined;
}

function readChunks(bytes: Buffer): Chunks {
  let format: Format | undefined;
  let factSamples: number | undefined;
  for (const { id, start, size } of chunksOf(bytes)) {
    if (id === "fmt " && size >= 16 && start + 16 <= bytes.length) format = readFormat(bytes, start, size);
    if (id === "fact" && size >= 4 && start + 4 <= bytes.length) factSamples = bytes.readUInt32LE(start);
    if (id === "data") return { format, factSamples, dataBytes: findWavData(bytes)?.size };
  }
  return { format, factSamples, dataBytes: undefined };
}

function readFormat(bytes: Buffer, start: number, size: number): Format {
  const tag = bytes.readUInt16LE(start);
  const blockBytes = bytes.readUInt16LE(start + 12);
  const channels = bytes.readUInt16LE(start + 2);
  const momentBytes = channels * Math.ceil(bytes.readUInt16LE(start + 14) / 8);
  const isPlain = plainTags.has(tag);
  const tellsSamples = blockTags.has(tag) && size >= 20 && start + 20 <= bytes.length;
  return {
    sampleRate: bytes.readUInt32LE(start + 4),
    bytesPerSecond: bytes.readUInt32LE(start + 8),
    // Players go by the channels and the bits: a larger block would only make the sound cheaper.
    blockBytes: isPlain && momentBytes > 0 ? momentBytes : blockBytes,
    blockSamples: tellsSamples ? bytes.readUInt16LE(start + 18) : Number(isPlain),
  };
}

type Chunk = { readonly id: string; readonly start: number; readonly size: number };

function* chunksOf(bytes: Buffer): Generator<Chunk> {
  let longDataBytes: number | undefined;
  let at = 12;
  while (at + 8 <= bytes.length) {
    const id = bytes.toString("latin1", at, at + 4);
    const declared = bytes.readUInt32LE(at + 4);
    const start = at + 8;
    // RF64 keeps the real size of its samples in a chunk of its own.
    if (id === "ds64" && start + 16 <= bytes.length) longDataBytes = Number(bytes.readBigUInt64LE(start + 8));
    const size =
      id === "data" && declared === 0xffffffff && longDataBytes !== undefined ? longDataBytes : declared;
    yield { id, start, size };
    at = start + size + (size % 2);
  }
}
