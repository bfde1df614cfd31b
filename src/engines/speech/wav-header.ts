import { findWavData } from "../../core/sound/wav-duration.ts";

/**
 * The same sound with sizes that are true: a program that writes to a pipe does not know them when it writes the header
 * and leaves numbers near 2³¹ there. Undefined for what is no WAV with samples.
 */
export function withTrueSizes(wav: Buffer): Buffer | undefined {
  if (wav.toString("latin1", 0, 4) !== "RIFF" || wav.toString("latin1", 8, 12) !== "WAVE") return undefined;
  const data = findWavData(wav);
  if (data === undefined || data.size === 0) return undefined;
  if (!data.isOpenEnded) return wav;
  const repaired = Buffer.from(wav);
  repaired.writeUInt32LE(repaired.length - 8, 4);
  repaired.writeUInt32LE(data.size, data.start - 4);
  return repaired;
}
