const speech = [480, 960, 1920, 2880];
const mixed = [480, 960];
const music = [120, 240, 480, 960];

/** Samples at 48 kHz of one frame, by the upper five bits of a packet's first byte (RFC 6716, 3.1). */
const frameSamples = [speech, speech, speech, mixed, mixed, music, music, music, music].flat();

/** How many samples at 48 kHz an Opus packet decodes to, from its first two bytes. */
export function opusSamples(first: number, second: number): number {
  const samples = frameSamples[first >> 3] ?? 0;
  const code = first & 3;
  if (code === 0) return samples;
  return samples * (code === 3 ? second & 0x3f : 2);
}

/**
 * The declared length, unless the packets decode to far more. Encoders trim some packets' worth at both ends, no more.
 */
export function believable(declared: number | undefined, packets: number): number | undefined {
  if (packets === 0) return declared;
  return declared === undefined || packets > declared * 1.5 + 1 ? packets : declared;
}
