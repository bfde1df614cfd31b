import { z } from "zod";

/** Text that the database can keep: PostgreSQL takes no NUL, and half of a surrogate pair is not a character. */
export function storedText(mostCharacters: number) {
  return z
    .string()
    .min(1)
    .max(mostCharacters)
    .refine(
      (text) => text.isWellFormed() && !text.includes("\0"),
      "want text without NUL and lone surrogates",
    );
}
