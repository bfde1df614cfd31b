/** Counts tokens off the main thread: `{ id, texts }` in, `{ id, tokens }` (the sum) out. */
import { parentPort } from "node:worker_threads";
import { countTokens } from "gpt-tokenizer/encoding/o200k_base";

/** Byte-pair encoding takes quadratic time on what the tokenizer sees as one word, so long ones are cut first. */
const longestRun = 256;
/** Of what has no white space, and of white space: slashes belong to the white space that follows punctuation. */
const longRun = new RegExp(`\\S{${longestRun}}|[\\s/]{${longestRun}}`, "g");
/** A customer's text may spell a control token; it is counted like any other text instead of being refused. */
const plainText = { disallowedSpecial: new Set<string>() };

parentPort?.on("message", ({ id, texts }: { id: number; texts: readonly string[] }) => {
  let tokens = 0;
  for (const text of texts) {
    for (const piece of text.replace(longRun, "$&\u0000").split("\u0000"))
      tokens += countTokens(piece, plainText);
  }
  parentPort?.postMessage({ id, tokens });
});
