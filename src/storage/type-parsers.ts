import pg from "pg";

const int8 = 20;
const int8Array = 1016;

/**
 * How values arrive from either home: int8 as bigint always, whatever its size. The rest is the driver's own reading:
 * numeric as string, timestamptz as Date, jsonb parsed, bytea as Buffer. Handed to each pool, never set globally.
 */
export const typeParsers: pg.CustomTypesConfig = {
  getTypeParser(type: number, format?: "text" | "binary"): (text: string) => unknown {
    if (type === int8) return BigInt;
    const parse: (text: string) => unknown = pg.types.getTypeParser(type, format);
    return type === int8Array ? (text) => bigintsIn(parse(text)) : parse;
  },
};

/** The driver reads elements of int8 arrays as strings. */
function bigintsIn(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bigintsIn);
  return typeof value === "string" ? BigInt(value) : value;
}
