import { readXml } from "./xml-reader.ts";

/** Numbers of formats that every spreadsheet has: dates and times among them. */
function isBuiltInDate(id: number): boolean {
  return (id >= 14 && id <= 22) || (id >= 27 && id <= 36) || (id >= 45 && id <= 47) || (id >= 50 && id <= 58);
}

/** Which of a workbook's cell styles show their number as a date. */
export function dateStylesIn(stylesXml: string): ReadonlySet<number> {
  const dateFormats = new Set<number>();
  const formats: number[] = [];
  let isInCellStyles = false;
  for (const event of readXml(stylesXml)) {
    if (event.kind === "text") continue;
    if (event.name === "cellXfs") isInCellStyles = event.kind === "open";
    if (event.kind === "close") continue;
    if (event.name === "numFmt" && isDateFormat(event.attribute("formatCode") ?? ""))
      dateFormats.add(Number(event.attribute("numFmtId")));
    if (event.name === "xf" && isInCellStyles) formats.push(Number(event.attribute("numFmtId") ?? 0));
  }
  const styles = [...formats.keys()].filter((style) => {
    const format = formats[style] ?? 0;
    return isBuiltInDate(format) || dateFormats.has(format);
  });
  return new Set(styles);
}

/** A format with day, month, year or hour in it, outside of literal text and of colours and conditions. */
function isDateFormat(code: string): boolean {
  const bare = code.replaceAll(/"[^"]*"|\[[^\]]*\]|\\./g, "");
  return /[dmyhs]/i.test(bare) && !/general/i.test(bare);
}

const dayMs = 86_400_000;
/** Day 0 of the usual count; the other one, of old Macs, begins with 1904. Right from March 1900 on. */
const firstDay = Date.UTC(1899, 11, 30);
const firstDay1904 = Date.UTC(1904, 0, 1);

/** `2026-11-25`, with its time if it has one; below one day a time alone. Undefined for what is no date. */
export function dateText(serial: number, isFrom1904: boolean): string | undefined {
  if (!Number.isFinite(serial) || serial < 0 || serial > 2_958_466) return undefined;
  const ms = Math.round(serial * 86_400) * 1000;
  const date = new Date((isFrom1904 ? firstDay1904 : firstDay) + ms);
  const [day = "", time = ""] = date.toISOString().split("T");
  if (serial < 1 && serial > 0) return time.slice(0, 8);
  return ms % dayMs === 0 ? day : `${day} ${time.slice(0, 8)}`;
}
