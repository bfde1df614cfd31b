import { inflateSync } from "node:zlib";

/** The most that a provider takes in one request: Anthropic's number for windows of a million tokens ("PDF support"). */
const mostPages = 600;
/** Of a file whose pages cannot be counted: hardly a page with anything on it takes less. */
const leastPageBytes = 500;
/** What is looked into before a file counts as one whose pages cannot be counted: all of it takes time from other calls. */
const mostCounts = 10_000;
const mostStreams = 1_000;
const mostInflated = { perByte: 1, extraBytes: 4 * 1024 * 1024 };

/** Page objects, and the numbers that nodes of page trees and outlines have. */
const marks = /\/Type\s*\/Page(?![A-Za-z])|\/Count\s+(\d{1,9})/g;
/** Far enough for the neighbours of a number in an outline's node, which are all short. */
const nearCharacters = 64;

/**
 * The most pages that a PDF may have. It is not parsed: the pages that it names are counted, also in the compressed
 * streams of objects that most programs write, and what page trees say counts where it is more. Too many is possible, in
 * files that keep older versions of their pages. `pdf` has a character per byte.
 */
export function pagesAtMost(pdf: string): number {
  const found = { objects: 0, largestCount: 0, counts: 0 };
  countPages(pdf, found);
  const isReadable = eachObjectStream(pdf, (objects) => countPages(objects, found));
  const pages = Math.max(found.objects, found.largestCount);
  const isCounted = isReadable && pages > 0 && found.counts <= mostCounts;
  const bound = isCounted ? pages : Math.max(pages, Math.ceil(pdf.length / leastPageBytes));
  return Math.min(bound, mostPages);
}

type Found = { objects: number; largestCount: number; counts: number };

function countPages(text: string, found: Found): void {
  for (const mark of text.matchAll(marks)) {
    const [, count] = mark;
    if (count === undefined) found.objects += 1;
    else if (isOfPageTree(text, mark.index)) found.largestCount = Math.max(found.largestCount, Number(count));
    if (count !== undefined) found.counts += 1;
    if (found.objects >= mostPages || found.counts > mostCounts) return;
  }
}

/** Nodes of an outline say their first and last child; there may be more of them than pages. */
function isOfPageTree(text: string, at: number): boolean {
  const before = text.slice(Math.max(0, at - nearCharacters), at);
  const [after = ""] = text.slice(at, at + nearCharacters).split(">>", 1);
  const node = before.slice(before.lastIndexOf("<<") + 1) + after;
  return !/\/(?:First|Last)\b/.test(node);
}

/** Returns false when there is one that cannot be read: encrypted, packed in a rare way, or too much of it. */
function eachObjectStream(pdf: string, read: (objects: string) => void): boolean {
  let left = pdf.length * mostInflated.perByte + mostInflated.extraBytes;
  let streams = 0;
  for (let at = pdf.indexOf("/ObjStm"); at >= 0; at = pdf.indexOf("/ObjStm", at)) {
    const head = /stream\r?\n/.exec(pdf.slice(at, at + 500));
    const begin = head === null ? -1 : at + head.index + head[0].length;
    // From here and not from the name on: so that no byte is looked at twice.
    at = begin < 0 ? -1 : pdf.indexOf("endstream", begin);
    streams += 1;
    if (at < 0 || streams > mostStreams) return false;
    const objects = inflated(pdf.slice(begin, at), left);
    if (objects === undefined) return false;
    read(objects);
    left -= objects.length;
  }
  return true;
}

function inflated(packed: string, mostBytes: number): string | undefined {
  if (mostBytes <= 0) return undefined;
  try {
    return inflateSync(Buffer.from(packed, "latin1"), { maxOutputLength: mostBytes }).toString("latin1");
  } catch {
    return undefined;
  }
}
