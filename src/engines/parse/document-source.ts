import { Problem } from "../../core/problems.ts";
import type { EngineContext } from "../engine.ts";
import { fetchProblem } from "../scrape/fetch-page.ts";
import { named } from "./document.ts";

export type DocumentSource = {
  readonly bytes: Uint8Array;
  readonly contentType: string;
  /** Where it came from; empty for a document that was within the inputs. */
  readonly name: string;
};

const mostBytes = 50 * 1024 * 1024;

/** The document at an address, or the one that a `data:` URL is. Throws a `Problem` that names the input. */
export async function documentFrom(
  address: string,
  { param, fetchFile, signal }: Pick<EngineContext, "fetchFile" | "signal"> & { readonly param: string },
): Promise<DocumentSource> {
  if (/^data:/i.test(address)) return documentIn(address, param);
  try {
    const { bytes, contentType, url } = await fetchFile(address, mostBytes);
    return { bytes, contentType, name: url };
  } catch (error) {
    throw named(fetchProblem(error, { signal, param, maxBytes: mostBytes }), param);
  }
}

function documentIn(address: string, param: string): DocumentSource {
  const comma = address.indexOf(",");
  const head = comma === -1 ? "" : address.slice("data:".length, comma);
  const text = address.slice(comma + 1);
  if (comma === -1) throw new Problem("invalid_request", { message: "The data: URL is not valid.", param });
  if (text.length > mostBytes * 1.4)
    throw new Problem("invalid_request", { message: "The document is too large.", param });
  const isBase64 = /;\s*base64\s*$/i.test(head);
  return {
    bytes: isBase64 ? Buffer.from(text, "base64") : percentDecoded(text, param),
    contentType: head.replace(/;\s*base64\s*$/i, ""),
    name: "",
  };
}

function percentDecoded(text: string, param: string): Buffer {
  try {
    return Buffer.from(decodeURIComponent(text), "utf8");
  } catch (cause) {
    throw new Problem("invalid_request", { message: "The data: URL is not valid.", param, cause });
  }
}
