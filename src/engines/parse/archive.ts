import { unzipSync, zipSync } from "fflate";
import { decodeText } from "../scrape/charset.ts";
import { documentFault } from "./document-fault.ts";

/** Of one archive, decoded. A file within that claims less than it holds is cut at what it claims. */
const mostBytes = 128 * 1024 * 1024;
const mostEntries = 5000;

/** The text parts of an Office document. */
export type Archive = {
  readonly names: readonly string[];
  /** Undefined when there is no such part. */
  text(name: string): string | undefined;
  /** The parts that were read, as an archive without compression: nothing in it can grow. */
  repacked(): Buffer;
};

const textPart = /(?:\.xml|\.rels)$/i;

/** Reads the text parts; pictures and the like are left in. */
export function openArchive(bytes: Uint8Array): Archive {
  const parts = new Map(Object.entries(unzipped(bytes)));
  return {
    names: [...parts.keys()],
    text: (name) => {
      const part = parts.get(name);
      return part === undefined ? undefined : decodeText(part, "");
    },
    repacked: () => Buffer.from(zipSync(Object.fromEntries(parts), { level: 0 })),
  };
}

function unzipped(bytes: Uint8Array): Record<string, Uint8Array> {
  let entries = 0;
  let claimedBytes = 0;
  let fault: Error | undefined;
  try {
    return unzipSync(bytes, {
      filter: ({ name, originalSize }) => {
        entries += 1;
        if (entries > mostEntries)
          fault = documentFault(`The document holds more than ${mostEntries} parts.`);
        if (fault !== undefined) throw fault;
        if (!textPart.test(name)) return false;
        claimedBytes += originalSize;
        if (claimedBytes > mostBytes)
          fault = documentFault(
            `The document is larger than ${mostBytes / 1024 / 1024} MB once it is unpacked.`,
          );
        if (fault !== undefined) throw fault;
        return true;
      },
    });
  } catch (error) {
    throw fault ?? documentFault("The document is a broken archive.", error);
  }
}
