type Signature = { readonly type: string; readonly bytes: Buffer; readonly at?: number };

const latin = (text: string) => Buffer.from(text, "latin1");

/** Bytes by which one kind of file begins. Those that share a beginning are told apart below. */
const signatures: readonly Signature[] = [
  { type: "image/png", bytes: latin("\x89PNG\r\n\x1a\n") },
  { type: "image/jpeg", bytes: latin("\xff\xd8\xff") },
  { type: "image/gif", bytes: latin("GIF87a") },
  { type: "image/gif", bytes: latin("GIF89a") },
  { type: "audio/mpeg", bytes: latin("ID3") },
  { type: "audio/flac", bytes: latin("fLaC") },
  { type: "audio/ogg", bytes: latin("OggS") },
  { type: "application/pdf", bytes: latin("%PDF-") },
];

/** The kind of a picture, sound, film, PDF or ZIP by its first bytes; undefined for anything else. */
export function signedTypeOf(head: Buffer): string | undefined {
  const found = signatures.find(({ bytes }) => begins(head, bytes));
  return found?.type ?? riffType(head) ?? isoMediaType(head) ?? matroskaType(head) ?? mpegAudioType(head);
}

function begins(head: Buffer, bytes: Buffer, at = 0): boolean {
  return head.subarray(at, at + bytes.length).equals(bytes);
}

function word(head: Buffer, at: number): string {
  return head.toString("latin1", at, at + 4);
}

function riffType(head: Buffer): string | undefined {
  if (word(head, 0) !== "RIFF") return undefined;
  const kinds: Readonly<Record<string, string>> = { WEBP: "image/webp", WAVE: "audio/wav" };
  return kinds[word(head, 8)];
}

const brandTypes: ReadonlyMap<string, string> = new Map([
  ["avif", "image/avif"],
  ["avis", "image/avif"],
  ["heic", "image/heic"],
  ["heix", "image/heic"],
  ["M4A ", "audio/mp4"],
  ["M4B ", "audio/mp4"],
  ["qt  ", "video/quicktime"],
]);

/** The ISO base media format (14496-12, 4.3): a box `ftyp` with one major brand and those it is compatible with. */
function isoMediaType(head: Buffer): string | undefined {
  if (head.length < 16 || word(head, 4) !== "ftyp") return undefined;
  const end = Math.min(head.readUInt32BE(0), head.length);
  const brands = [word(head, 8)];
  for (let at = 16; at + 4 <= end; at += 4) brands.push(word(head, at));
  for (const brand of brands) {
    const type = brandTypes.get(brand);
    if (type !== undefined) return type;
  }
  return "video/mp4";
}

/** WebM is Matroska with its name in the EBML header. */
function matroskaType(head: Buffer): string | undefined {
  if (!begins(head, latin("\x1a\x45\xdf\xa3"))) return undefined;
  return head.subarray(0, 64).includes("webm") ? "video/webm" : "video/x-matroska";
}

/** A frame of MPEG audio without a tag before it (11172-3, 2.4.1.3), or of AAC in ADTS. */
function mpegAudioType(head: Buffer): string | undefined {
  const [first = 0, second = 0, third = 0] = head;
  if (first !== 0xff || (second & 0xe0) !== 0xe0) return undefined;
  if ((second & 0xf6) === 0xf0) return "audio/aac";
  const isReserved = (second & 0x18) === 0x08 || (third & 0xf0) === 0xf0 || (third & 0x0c) === 0x0c;
  const isLayerTwoOrThree = (second & 0x06) === 0x02 || (second & 0x06) === 0x04;
  return isLayerTwoOrThree && !isReserved ? "audio/mpeg" : undefined;
}
