const granulesPerSecond = 48_000;
const packetMs = 20;
const packetsPerPage = 50;
/** Twenty milliseconds of silence in one channel. */
const silence = Buffer.from([0xf8, 0xff, 0xfe]);
/** Samples a decoder leaves out at the beginning. */
const preSkip = 312;

/** Silence as Opus in Ogg (RFC 7845). */
export function opusOf(ms: number): Buffer {
  const packets = Math.max(1, Math.ceil(ms / packetMs));
  const pages = [
    page({ packets: [headPacket()], granule: 0, at: 0, kind: 0x02 }),
    page({ packets: [tagsPacket()], granule: 0, at: 1, kind: 0 }),
  ];
  for (let from = 0; from < packets; from += packetsPerPage) {
    const count = Math.min(packetsPerPage, packets - from);
    const isLast = from + count === packets;
    pages.push(
      page({
        packets: Array.from({ length: count }, () => silence),
        granule: preSkip + ((from + count) * packetMs * granulesPerSecond) / 1_000,
        at: pages.length,
        kind: isLast ? 0x04 : 0,
      }),
    );
  }
  return Buffer.concat(pages);
}

function headPacket(): Buffer {
  const packet = Buffer.alloc(19);
  packet.write("OpusHead", 0, "latin1");
  packet.set([1, 1], 8);
  packet.writeUInt16LE(preSkip, 10);
  packet.writeUInt32LE(granulesPerSecond, 12);
  return packet;
}

function tagsPacket(): Buffer {
  const vendor = Buffer.from("sandbox");
  const packet = Buffer.alloc(16 + vendor.length);
  packet.write("OpusTags", 0, "latin1");
  packet.writeUInt32LE(vendor.length, 8);
  packet.set(vendor, 12);
  return packet;
}

type Page = {
  /** Each shorter than 255 bytes. */
  readonly packets: readonly Buffer[];
  readonly granule: number;
  readonly at: number;
  readonly kind: number;
};

function page({ packets, granule, at, kind }: Page): Buffer {
  const head = Buffer.alloc(27);
  head.write("OggS", 0, "latin1");
  head[5] = kind;
  head.writeBigUInt64LE(BigInt(granule), 6);
  head.writeUInt32LE(1, 14);
  head.writeUInt32LE(at, 18);
  head[26] = packets.length;
  const bytes = Buffer.concat([head, Buffer.from(packets.map((packet) => packet.length)), ...packets]);
  bytes.writeUInt32LE(checksumOf(bytes), 22);
  return bytes;
}

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc << 1) ^ (crc < 0 ? 0x04c11db7 : 0);
  return crc;
});

/** Ogg's own: the usual polynomial, highest bit first, from zero. */
function checksumOf(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) crc = (crc << 8) ^ (table[(crc >>> 24) ^ byte] ?? 0);
  return crc >>> 0;
}
