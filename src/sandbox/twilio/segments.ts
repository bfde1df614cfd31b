/** Letters of the alphabet that needs 7 bits each; those of the second group need two places. */
const seven =
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§" +
  "¿abcdefghijklmnopqrstuvwxyzäöñüà";
const escaped = "^{}\\[~]|€";
const basic = new Set(seven);
const extension = new Set(escaped);

/** How many messages a text is sent as: 160 or 70 places in one, 153 or 67 in each of several. */
export function segmentsOf(text: string): number {
  const letters = text.split("");
  const isPlain = letters.every((letter) => basic.has(letter) || extension.has(letter));
  const places = isPlain
    ? letters.reduce((sum, letter) => sum + (extension.has(letter) ? 2 : 1), 0)
    : text.length;
  const [alone, each] = isPlain ? [160, 153] : [70, 67];
  return places <= alone ? 1 : Math.ceil(places / each);
}
