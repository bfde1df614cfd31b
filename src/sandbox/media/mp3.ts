/** Kilobits per second by index, for MPEG-1 and for the half sample rates of MPEG-2. */
const bitrates = {
  full: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  half: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
};
const rates = { full: [44_100, 48_000, 32_000], half: [22_050, 24_000, 16_000] };

export type Mp3Form = { readonly rate: number; readonly kbps: number };

export const usualMp3: Mp3Form = { rate: 44_100, kbps: 128 };

/**
 * Layer III frames that say nothing, as many as the length needs: a frame whose side information is zero is silence.
 * A rate or bitrate that MP3 does not know becomes the usual one.
 */
export function mp3Of(ms: number, asked: Mp3Form = usualMp3): Buffer {
  const kind = rates.half.includes(asked.rate) ? "half" : "full";
  const rate = rates[kind].includes(asked.rate) ? asked.rate : usualMp3.rate;
  const kbps = bitrates[kind].includes(asked.kbps) && asked.kbps > 0 ? asked.kbps : usualMp3.kbps;
  const samplesPerFrame = kind === "full" ? 1_152 : 576;
  const bytesPerFrame = ((samplesPerFrame / 8) * kbps * 1_000) / rate;
  const form = (bitrates[kind].indexOf(kbps) << 4) | (rates[kind].indexOf(rate) << 2);
  // Sync, version and layer without a checksum; bitrate and rate; one channel, an original.
  const head = (padding: 0 | 1): readonly number[] => [
    0xff,
    kind === "full" ? 0xfb : 0xf3,
    form | (padding << 1),
    0xc4,
  ];
  const frames = Math.max(1, Math.round((ms * rate) / 1_000 / samplesPerFrame));
  const sound = Buffer.alloc(Math.floor(bytesPerFrame * frames));
  // Some frames are a byte longer, so that the whole has the bitrate exactly: readers tell the length by it.
  for (let at = 0; at < frames; at += 1) {
    const start = Math.floor(bytesPerFrame * at);
    const length = Math.floor(bytesPerFrame * (at + 1)) - start;
    sound.set(head(length > Math.floor(bytesPerFrame) ? 1 : 0), start);
  }
  return sound;
}
