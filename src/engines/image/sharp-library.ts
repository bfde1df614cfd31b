import { createRequire } from "node:module";
import type { SharpConstructor } from "sharp";

/** Only from memory, never from a file: what a picture could refer to does not exist for its reader. */
const readers = ["Png", "Jpeg", "Webp", "Heif", "Nsgif", "Tiff", "Svg"].map(
  (format) => `VipsForeignLoad${format}Buffer`,
);

const require = createRequire(import.meta.url);
const system = `${process.platform}-${process.arch}`;
const binaries = [system, system.replace("linux-", "linuxmusl-"), "wasm32"].map(
  (name) => `@img/sharp-${name}`,
);

let library: SharpConstructor | undefined;

/** Whether a binary for this platform lies here; loads none. */
export function hasSharpLibrary(): boolean {
  return binaries.some((binary) => {
    try {
      require.resolve(`${binary}/package`);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * The image library, loaded when it is first needed: its binary takes some 20 MB, and a server whose platform has none
 * works without pictures. Throws where it cannot be loaded.
 */
export function sharpLibrary(): SharpConstructor {
  if (library === undefined) {
    // The loaded module is what its types say: that is the library's promise, not something to check.
    library = require("sharp") as SharpConstructor;
    library.block({ operation: ["VipsForeignLoad"] });
    library.unblock({ operation: readers });
    // Pictures of strangers do not come twice, and one thread each leaves the rest to the other runs.
    library.cache(false);
    library.concurrency(1);
  }
  return library;
}
