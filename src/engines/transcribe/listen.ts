import type { AudioFormat } from "../../core/sound/audio-duration.ts";

/** What is listened to, by a server or by a program. */
export type Recording = {
  readonly bytes: Buffer;
  readonly format: AudioFormat;
  /** `en`; undefined: find out. */
  readonly language: string | undefined;
  /** Words and names that may occur. */
  readonly prompt: string | undefined;
  readonly signal: AbortSignal;
};

/** What a file of the format is usually called: programs and servers go by the ending. */
export function fileNameOf(format: AudioFormat): string {
  return `audio.${format === "mp4" ? "m4a" : format}`;
}
