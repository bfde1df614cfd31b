const units = [
  [1024 ** 3, "GB"],
  [1024 ** 2, "MB"],
  [1024, "KB"],
] as const;

/** A bound as people say it: 20971520 is `20 MB`. What is no whole number of a unit stays in bytes. */
export function sizeText(bytes: number): string {
  for (const [size, unit] of units) if (bytes >= size && bytes % size === 0) return `${bytes / size} ${unit}`;
  return `${bytes} bytes`;
}
