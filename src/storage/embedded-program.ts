import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";

// It is there in Node.js; only the types of browsers name it.
declare const WebAssembly: { readonly Module: new (bytes: Uint8Array) => object };

/**
 * How much of a function of PostgreSQL runs, about in bytes of its code, before V8 compiles it anew with its optimizing
 * compiler. V8's own bound is reached by 60 functions while the database opens, and compiling them takes a third of the
 * processor's time for that; with this one they are compiled when the database has real work.
 */
const patientBudget = 1_000_000_000;
/** V8's own, for every other program in this process. */
const usualBudget = 13_000_000;

/** PostgreSQL as PGlite brings it, compiled. */
export function compiledPostgres(): object {
  const program = readFileSync(new URL("./pglite.wasm", import.meta.resolve("@electric-sql/pglite")));
  // The flag belongs to the whole process, but a program keeps what it said while that was compiled.
  setFlagsFromString(`--wasm-tiering-budget=${patientBudget}`);
  try {
    return new WebAssembly.Module(program);
  } finally {
    setFlagsFromString(`--wasm-tiering-budget=${usualBudget}`);
  }
}
