import { withoutDirectives } from "../directives.ts";

const msPerCharacter = 65;
const shortestMs = 300;

/** How long a text takes to speak, in milliseconds. */
export function spokenMs(text: string): number {
  return Math.max(shortestMs, withoutDirectives(text).length * msPerCharacter);
}

const msPerSecond = 1_000;

/** How long a sound or a video is, in milliseconds; for a form that is not known, as if it had 128 kilobits a second. */
export function soundLengthMs(bytes: Buffer): number {
  const seconds = wavSeconds(bytes) ?? flacSeconds(bytes) ?? oggSeconds(bytes) ?? movieSeconds(bytes);
  return Math.max(1, Math.round((seconds ?? mp3Seconds(bytes) ?? bytes.length / 16_000) * msPerSecond));
}

function startsWith(bytes: Buffer, text: string, at = 0): boolean {
  return bytes.subarray(at, at + text.length).toString("latin1") === text;
}

function wavSeconds(bytes: Buffer): number | undefined {
  if (!startsWith(bytes, "RIFF") || !startsWith(bytes, "WAVE", 8) || bytes.length < 44) return undefined;
  const format = bytes.indexOf("fmt ", 12, "latin1");
  const data = bytes.indexOf("data", 12, "latin1");
  if (format === -1 || data === -1 || format + 20 > bytes.length || data + 8 > bytes.length) return undefined;
  const perSecond = bytes.readUInt32LE(format + 16);
  return perSecond === 0 ? undefined : (bytes.length - data - 8) / perSecond;
}

function flacSeconds(bytes: Buffer): number | undefined {
  if (!startsWith(bytes, "fLaC") || bytes.length < 26) return undefined;
  const rate = bytes.readUIntBE(18, 3) >> 4;
  return rate === 0 ? undefined : bytes.readUInt32BE(22) / rate;
}

const oggRate = 48_000;

function oggSeconds(bytes: Buffer): number | undefined {
  const last = startsWith(bytes, "OggS") ? bytes.lastIndexOf("OggS", undefined, "latin1") : -1;
  if (last === -1 || last + 14 > bytes.length) return undefined;
  return Number(bytes.readBigUInt64LE(last + 6)) / oggRate;
}

function movieSeconds(bytes: Buffer): number | undefined {
  const head = startsWith(bytes, "ftyp", 4) ? bytes.indexOf("mvhd", 0, "latin1") : -1;
  if (head === -1 || head + 24 > bytes.length) return undefined;
  const scale = bytes.readUInt32BE(head + 16);
  return scale === 0 ? undefined : bytes.readUInt32BE(head + 20) / scale;
}

/** Kilobits per second of MPEG-1 and of MPEG-2, layer III. */
const bitrates = [
  [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];

/** From the bitrate of the first frame. */
function mp3Seconds(bytes: Buffer): number | undefined {
  const hasTag = startsWith(bytes, "ID3") && bytes.length > 10;
  const tagged = hasTag ? [6, 7, 8, 9].reduce((sum, at) => sum * 128 + ((bytes[at] ?? 0) & 0x7f), 10) : 0;
  const [first = 0, second = 0, third = 0] = bytes.subarray(tagged, tagged + 3);
  if (first !== 0xff || (second & 0xe6) !== 0xe2) return undefined;
  const kbps = bitrates[(second & 0x08) === 0 ? 1 : 0]?.[third >> 4] ?? 0;
  return kbps === 0 ? undefined : ((bytes.length - tagged) * 8) / (kbps * 1_000);
}
