import { between, randomFrom } from "../answers/random.ts";

export type Sound = {
  readonly ms: number;
  /** Decides the pitch. */
  readonly seed: string;
  /** Samples per second. */
  readonly rate: number;
};

/** Longer sounds are made this long: nothing a caller writes may cost the process much. */
export const longestSoundMs = 600_000;
const loudness = 6_000;

/** A steady tone: 16 bits, one channel, no header. */
export function pcmOf({ ms, seed, rate }: Sound): Buffer {
  const samples = Math.round((Math.min(ms, longestSoundMs) * rate) / 1_000);
  const bytes = Buffer.alloc(samples * 2);
  // A whole number of samples per wave, so that one wave is computed and then repeated.
  const wave = Math.round(rate / between(randomFrom(seed), 180, 520));
  for (let at = 0; at < Math.min(wave, samples); at += 1) {
    bytes.writeInt16LE(Math.round(loudness * Math.sin((2 * Math.PI * at) / wave)), at * 2);
  }
  for (let from = wave * 2; from < bytes.length; from += wave * 2) bytes.copy(bytes, from, 0, wave * 2);
  return bytes;
}

export function wavOf(sound: Sound): Buffer {
  const samples = pcmOf(sound);
  const head = Buffer.alloc(44);
  head.write("RIFF", 0, "latin1");
  head.writeUInt32LE(36 + samples.length, 4);
  head.write("WAVEfmt ", 8, "latin1");
  head.writeUInt32LE(16, 16);
  // Plain samples, one channel.
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(sound.rate, 24);
  head.writeUInt32LE(sound.rate * 2, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write("data", 36, "latin1");
  head.writeUInt32LE(samples.length, 40);
  return Buffer.concat([head, samples]);
}
