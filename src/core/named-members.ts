/** What a list of names in a header may take at most. */
const mostBytes = 4_096;
const longestName = 64;

/**
 * Names of members as the value of a header. Members have the names that customers gave them: what no header can carry is
 * percent-encoded, a long name is cut, and only what does not fit into four kilobytes is counted.
 */
export function namedMembers(names: readonly string[]): string {
  let text = "";
  for (const [index, name] of names.entries()) {
    const next = `${text === "" ? "" : ", "}${shown(name)}`;
    if (text.length + next.length > mostBytes) return `${text}, ${names.length - index} more`;
    text += next;
  }
  return text;
}

function shown(name: string): string {
  if (name === "") return '""';
  const cut = name.length > longestName ? `${name.slice(0, longestName)}…` : name;
  return cut.toWellFormed().replaceAll(/[^\w.[\]-]/gu, encoded);
}

function encoded(letter: string): string {
  const bytes = [...Buffer.from(letter)];
  return bytes.map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");
}
