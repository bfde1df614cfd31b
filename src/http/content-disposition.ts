/**
 * A `Content-Disposition` (RFC 6266): the name in ASCII for old readers, and whole in UTF-8 where the two differ. Nothing
 * in a name ends the header or its quotes.
 */
export function contentDisposition(kind: "inline" | "attachment", name: string): string {
  const plain = name.replaceAll(/[^\x20-\x7e]|["\\%]/gu, "_");
  const whole = plain === name ? "" : `; filename*=UTF-8''${extended(name)}`;
  return `${kind}; filename="${plain}"${whole}`;
}

/** RFC 8187: what `encodeURIComponent` leaves and the grammar does not. */
function extended(name: string): string {
  return encodeURIComponent(name.toWellFormed()).replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
