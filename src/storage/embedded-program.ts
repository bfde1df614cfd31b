import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";

// It is there in Node.js; only the types of browsers name it.
declare const WebAssembly: { readonly Module: new (bytes: Uint8Array) => object };

/**
 * PostgreSQL as PGlite brings it, compiled. V8 keeps what its baseline compiler makes of it, for the life of the process:
 * its optimizing compiler takes 600 MB and most of a second for one function of PostgreSQL, which is hot a second after
 * each start, and the statements of a gateway under load get no faster by it. The flags belong to the process. The one
 * other program in WebAssembly that is asked often, undici's parser of HTTP, is as fast without it too.
 */
export function compiledPostgres(): object {
  setFlagsFromString("--no-wasm-tier-up");
  // Both: without this one V8 would optimize at once what it no longer may optimize later.
  setFlagsFromString("--no-wasm-dynamic-tiering");
  const program = readFileSync(new URL("./pglite.wasm", import.meta.resolve("@electric-sql/pglite")));
  return new WebAssembly.Module(program);
}
