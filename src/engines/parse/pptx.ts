import type { Archive } from "./archive.ts";
import { documentFault } from "./document-fault.ts";
import type { DocumentReading } from "./document-section.ts";
import { mainPart, relationsOf } from "./office-parts.ts";
import { pagesWithin } from "./page-range.ts";
import type { PagesWanted } from "./page-range.ts";
import { notesText, slideText } from "./slide-text.ts";
import { readXml } from "./xml-reader.ts";

/** Each slide's text with the speaker's notes below it, in the order in which they are shown. */
export function readPptx(archive: Archive, pages: PagesWanted): DocumentReading {
  const slides = slidesOf(archive);
  const sections = pagesWithin(pages, slides.length).map((page) => {
    const part = slides[page - 1] ?? "";
    const blocks = [slideText(archive.text(part) ?? ""), notesOf(archive, part)];
    return { content: blocks.filter((block) => block !== "").join("\n\n"), page };
  });
  return { sections, pages: sections.length };
}

function slidesOf(archive: Archive): readonly string[] {
  const presentation = mainPart(archive) ?? "ppt/presentation.xml";
  const relations = relationsOf(archive, presentation);
  const slides: string[] = [];
  for (const event of readXml(archive.text(presentation) ?? "")) {
    if (event.kind !== "open" || event.name !== "sldId") continue;
    const target = relations.get(event.prefixed("id") ?? "")?.target;
    if (target !== undefined) slides.push(target);
  }
  if (slides.length === 0) throw documentFault("The presentation has no slides.");
  return slides;
}

function notesOf(archive: Archive, slide: string): string {
  for (const { kind, target } of relationsOf(archive, slide).values()) {
    if (kind !== "notesSlide") continue;
    const notes = notesText(archive.text(target) ?? "");
    if (notes !== "") return `Notes:\n\n${notes}`.replaceAll(/^/gm, "> ").replaceAll(/^> $/gm, ">");
  }
  return "";
}
