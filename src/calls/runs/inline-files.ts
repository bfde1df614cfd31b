import type { JsonObject } from "../../core/json-object.ts";
import { Problem } from "../../core/problems.ts";
import { contentTypeOf } from "../../files/content-type.ts";
import { fileReaderOf } from "./read-files.ts";
import type { RunHouse } from "./run-house.ts";
import type { RunRow } from "./run-store.ts";

/** Inputs that a provider takes as their bytes only, and the media types that it takes there. */
export type Inlines = Readonly<Record<string, readonly string[]>>;

const mostBytes = 20 * 1024 * 1024;
/** Stands for what lies behind a foreign address in test mode: nothing of a test call leaves the machine. */
const pixel = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

type Reader = (url: string, maxBytes: number) => Promise<{ readonly bytes: Buffer }>;

/** The inputs with what lies at their addresses in place of the addresses, as data URLs. */
export async function withInlinedFiles(
  inputs: JsonObject,
  inlines: Inlines,
  read: Reader,
): Promise<JsonObject> {
  const inlined: [string, unknown][] = [];
  for (const [name, types] of Object.entries(inlines)) {
    const value = inputs[name];
    const inline = (one: unknown, param: string): Promise<unknown> => inlinedOf(one, { param, types, read });
    if (Array.isArray(value)) {
      const each = value.map((one, index) => inline(one, `inputs.${name}[${index}]`));
      inlined.push([name, await Promise.all(each)]);
    } else if (value !== undefined) inlined.push([name, await inline(value, `inputs.${name}`)]);
  }
  return inlined.length === 0 ? inputs : { ...inputs, ...Object.fromEntries(inlined) };
}

type Wanted = { readonly param: string; readonly types: readonly string[]; readonly read: Reader };

async function inlinedOf(value: unknown, { param, types, read }: Wanted): Promise<unknown> {
  if (typeof value !== "string" || !/^https?:\/\//i.test(value)) return value;
  const { bytes } = await readNamed(value, param, read);
  const type = contentTypeOf({ head: bytes, isWhole: true });
  if (types.includes(type)) return `data:${type};base64,${bytes.toString("base64")}`;
  const message = `${param}: what lies at this address is ${type}; want ${types.join(" or ")}`;
  throw new Problem("invalid_request", { message, param });
}

/** Who reads knows the address, but not which of the inputs named it. */
async function readNamed(url: string, param: string, read: Reader): Promise<{ readonly bytes: Buffer }> {
  try {
    return await read(url, mostBytes);
  } catch (error) {
    if (!(error instanceof Problem) || error.param !== null) throw error;
    const { code, message, extra } = error;
    throw new Problem(code, { message, extra, param, cause: error });
  }
}

/** Of a test call only files of ours are read; every other address is judged, and a picture of one pixel stands for it. */
export function inlineReaderOf(row: RunRow, house: RunHouse): Reader {
  if (row.mode === "live") return fileReaderOf(row, house);
  return async (url, maxBytes) => {
    const owner = { accountId: row.account_id, mode: row.mode, maxBytes };
    const own = await house.files.readOwn(url, owner);
    if (own !== undefined) return own;
    house.egress.check(url);
    return { bytes: pixel };
  };
}
