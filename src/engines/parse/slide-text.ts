import { markdownTable } from "../scrape/table-text.ts";
import { cellText } from "./sheet-table.ts";
import { readXml } from "./xml-reader.ts";
import type { XmlEvent } from "./xml-reader.ts";

type Paragraph = { readonly text: string; readonly level: number };

/** What is written in one place of a slide. */
type Shape = {
  /** What the place is for, as the slide's layout calls it; undefined for a place of the slide's own. */
  place: string | undefined;
  paragraphs: Paragraph[];
};

/** Places that show the same on every slide. */
const repeated: ReadonlySet<string> = new Set(["sldNum", "dt", "ftr", "hdr", "sldImg"]);

/** A slide's texts and tables as Markdown, in the order of the file, its title first. */
export function slideText(xml: string): string {
  const writer = new SlideWriter();
  for (const event of readXml(xml)) writer.take(event);
  return [writer.title, ...writer.blocks].filter((block) => block !== "").join("\n\n");
}

/** What the speaker wrote for himself. */
export function notesText(xml: string): string {
  const writer = new SlideWriter({ only: "body" });
  for (const event of readXml(xml)) writer.take(event);
  return writer.blocks.join("\n\n");
}

const deepestLevel = 8;

class SlideWriter {
  title = "";
  readonly blocks: string[] = [];
  readonly #only: string | undefined;
  #shape: Shape = { place: undefined, paragraphs: [] };
  #paragraph: { text: string; level: number } | undefined;
  #table: string[][] | undefined;
  #isText = false;

  constructor({ only }: { readonly only?: string } = {}) {
    this.#only = only;
  }

  take(event: XmlEvent): void {
    if (event.kind === "text") {
      if (this.#isText && this.#paragraph !== undefined) this.#paragraph.text += event.text;
    } else if (event.name === "t") this.#isText = event.kind === "open";
    else if (event.kind === "open") this.#open(event);
    else this.#close(event.name);
  }

  #open({ name, attribute }: Extract<XmlEvent, { kind: "open" }>): void {
    if (name === "sp" || name === "tc") this.#shape = { place: undefined, paragraphs: [] };
    else if (name === "ph") this.#shape.place = attribute("type") ?? "body";
    else if (name === "p") this.#paragraph = { text: "", level: 0 };
    else if (name === "tbl") this.#table = [];
    else if (name === "tr") this.#table?.push([]);
    else if (name === "pPr") this.#mark({ level: Number(attribute("lvl") ?? 0) });
    else if (name === "br") this.#mark({ breaksLine: true });
  }

  #mark({ level = 0, breaksLine = false }: { readonly level?: number; readonly breaksLine?: boolean }): void {
    const paragraph = this.#paragraph;
    if (paragraph === undefined) return;
    if (level > 0) paragraph.level = Math.min(deepestLevel, level);
    if (breaksLine) paragraph.text += "\n";
  }

  #close(name: string): void {
    const { paragraphs } = this.#shape;
    switch (name) {
      case "p":
        if (this.#paragraph !== undefined && this.#paragraph.text.trim() !== "")
          paragraphs.push({ ...this.#paragraph, text: this.#paragraph.text.trim() });
        this.#paragraph = undefined;
        break;
      case "sp":
        this.#finish(this.#shape);
        this.#shape = { place: undefined, paragraphs: [] };
        break;
      case "tc":
        this.#table?.at(-1)?.push(cellText(paragraphs.map(({ text }) => text).join("\n")));
        this.#shape = { place: undefined, paragraphs: [] };
        break;
      case "tbl":
        this.#add(markdownTable(this.#table ?? []) ?? "");
        this.#table = undefined;
        break;
    }
  }

  #finish({ place, paragraphs }: Shape): void {
    if (this.#only === undefined ? repeated.has(place ?? "") : place !== this.#only) return;
    const isTitle = place === "title" || place === "ctrTitle";
    if (isTitle && this.title === "" && paragraphs.length > 0)
      this.title = `## ${paragraphs.map(({ text }) => text.replaceAll(/\s+/g, " ")).join(" ")}`;
    else this.#add(written(paragraphs));
  }

  #add(block: string): void {
    if (block !== "") this.blocks.push(block);
  }
}

/** Several paragraphs, or one that is set back, are a list; a single one is just that. */
function written(paragraphs: readonly Paragraph[]): string {
  if (paragraphs.length === 1 && paragraphs[0]?.level === 0) return paragraphs[0].text;
  return paragraphs
    .map(({ text, level }) => {
      const indent = "  ".repeat(level);
      return `${indent}- ${text.replaceAll("\n", `\n${indent}  `)}`;
    })
    .join("\n");
}
