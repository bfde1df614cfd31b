/** Everything that could move a terminal's cursor or change its state, except tab and line feed. */
// oxlint-disable-next-line no-control-regex -- Control characters are what is looked for.
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
/** Characters that terminals draw two cells wide, and marks that take none. */
const wide =
  /^(?:[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation})$/u;
const narrow = /^\p{M}$/u;

/** Foreign text that a terminal shows and does not obey. */
export function harmless(text: string): string {
  return text.replaceAll(controls, "\u{fffd}");
}

/** Foreign text on one line, for tables and sentences. */
export function oneLine(text: string): string {
  return harmless(text.replaceAll(/[\r\n\t]+/g, " "));
}

/** Cells that a terminal draws the text in. */
export function widthOf(text: string): number {
  let cells = 0;
  for (const character of text) {
    if (narrow.test(character)) continue;
    cells += wide.test(character) ? 2 : 1;
  }
  return cells;
}
