const localHeader = Buffer.from("PK\x03\x04", "latin1");
const emptyArchive = Buffer.from("PK\x05\x06", "latin1");
const nameAt = 30;

const officeFolders: readonly (readonly [folder: string, type: string])[] = [
  ["word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"],
  ["xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"],
  ["ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"],
];

/** A ZIP, or the Office document that it is by the folder its entries lie in; undefined for anything else. */
export function zipTypeOf(head: Buffer): string | undefined {
  if (head.subarray(0, 4).equals(emptyArchive)) return "application/zip";
  if (!head.subarray(0, 4).equals(localHeader)) return undefined;
  const names = entryNames(head);
  const office = officeFolders.find(([folder]) => names.some((name) => name.startsWith(folder)));
  return office?.[1] ?? "application/zip";
}

/** Looks for headers instead of going from one to the next: sizes may stand behind the bytes they count. */
function entryNames(head: Buffer): readonly string[] {
  const names: string[] = [];
  for (let at = 0; at !== -1; at = head.indexOf(localHeader, at + 4)) {
    if (at + nameAt > head.length) break;
    const length = head.readUInt16LE(at + 26);
    names.push(head.toString("latin1", at + nameAt, at + nameAt + length));
  }
  return names;
}
