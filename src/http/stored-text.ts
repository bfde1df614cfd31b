import { z } from "zod";
import { storable } from "../core/storable-text.ts";

/** Text that the database can keep: PostgreSQL takes no NUL, and half of a surrogate pair is not a character. */
export function storedText(mostCharacters: number) {
  return z
    .string()
    .min(1)
    .max(mostCharacters)
    .refine((text) => storable(text) === text, "want text without NUL and lone surrogates");
}
