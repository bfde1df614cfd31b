import { aacSeconds } from "../../core/sound/aac-duration.ts";
import { audioLength } from "../../core/sound/audio-duration.ts";
import { ofOne } from "./operator-forms.ts";
import type { Operators } from "./operator-forms.ts";

export const soundOperators: Operators = {
  /** How long a sound given as base64 plays, by its bytes; missing for what has no form that tells, as bare samples. */
  $playtime: ofOne((value) =>
    typeof value === "string" ? secondsOf(Buffer.from(value, "base64")) : undefined,
  ),
};

/** AAC first: in its bytes chance may make what looks like a frame of MP3. */
function secondsOf(bytes: Buffer): number | undefined {
  return aacSeconds(bytes) ?? audioLength(bytes)?.seconds;
}
