import type { Archive } from "./archive.ts";
import { readXml } from "./xml-reader.ts";

/** What a part of an Office document refers to: id → the other part's name and what it is. */
export type Relations = ReadonlyMap<string, { readonly target: string; readonly kind: string }>;

/** `ppt/slides/slide1.xml` → its relations, their targets as names within the archive. */
export function relationsOf(archive: Archive, part: string): Relations {
  const slash = part.lastIndexOf("/");
  const folder = part.slice(0, slash + 1);
  const xml = archive.text(`${folder}_rels/${part.slice(slash + 1)}.rels`) ?? "";
  const relations = new Map<string, { target: string; kind: string }>();
  for (const event of readXml(xml)) {
    if (event.kind !== "open" || event.name !== "Relationship") continue;
    const id = event.attribute("Id");
    const target = event.attribute("Target");
    if (id === undefined || target === undefined || event.attribute("TargetMode") === "External") continue;
    const kind = event.attribute("Type")?.replace(/^.*\//, "") ?? "";
    relations.set(id, { target: resolved(folder, target), kind });
  }
  return relations;
}

/** The part that the archive's root names as its document. */
export function mainPart(archive: Archive): string | undefined {
  for (const { target, kind } of relationsOf(archive, "").values())
    if (kind === "officeDocument") return target;
  return undefined;
}

function resolved(folder: string, target: string): string {
  const path = target.startsWith("/") ? target : `/${folder}${target}`;
  // The parser of addresses knows what `..` means.
  return decodeURIComponent(new URL(path, "http://archive/").pathname.slice(1));
}
