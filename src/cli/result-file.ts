import { access, constants, stat, writeFile } from "node:fs/promises";
import { dirname, join, parse } from "node:path";
import type { Client } from "../client/client.ts";
import type { RunAnswer } from "../client/run-client.ts";
import { isJsonObject } from "../core/json-object.ts";
import { WrongUse } from "./exit.ts";

/** Asked before a run is begun: its result would be paid for and have no place to go. */
export async function refuseUnwritable(path: string): Promise<void> {
  const fault = await faultOf(path);
  if (fault !== undefined) throw new WrongUse(`Nothing can be saved as ${path}: ${fault}. Nothing was sent.`);
}

async function faultOf(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() === true) return "it is a folder; name a file in it";
  if (found !== undefined) return (await isWritable(path)) ? undefined : "this user may not write to it";
  const folder = dirname(path);
  const above = await stat(folder).catch(() => undefined);
  if (above === undefined) return `there is no folder ${folder}`;
  if (!above.isDirectory()) return `${folder} is no folder`;
  return (await isWritable(folder)) ? undefined : `this user may not write to ${folder}`;
}

async function isWritable(path: string): Promise<boolean> {
  try {
    await access(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Where one result is told, and where all of them are. */
const fileMembers = [
  ["image_url", "generated_images"],
  ["video_url", "videos"],
  ["audio_url", "audio"],
] as const;

/** The addresses of the files that a result is; none: it is something else. */
export function fileUrlsIn(result: RunAnswer): readonly string[] {
  for (const [one, all] of fileMembers) {
    const first = result[one];
    if (typeof first !== "string") continue;
    const urls = addressesIn(result[all]);
    return urls.length > 1 ? urls : [first];
  }
  return [];
}

function addressesIn(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item: unknown) => {
    const url = isJsonObject(item) ? item["url"] : item;
    return typeof url === "string" ? [url] : [];
  });
}

type Saving = { readonly client: Client; readonly path: string };

/**
 * Saves the files of a result; gives the paths. Where that fails, the message has what is needed to get them all the same.
 */
export async function saveFiles(result: RunAnswer, { client, path }: Saving): Promise<readonly string[]> {
  const urls = fileUrlsIn(result);
  if (urls.length === 0)
    throw new WrongUse(`This result has no file to save: leave --output out (${result.id}).`);
  const paths: string[] = [];
  for (const [index, url] of urls.entries()) {
    const place = urls.length === 1 ? path : numbered(path, index + 1);
    try {
      await writeFile(place, await client.runs.download(url));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const all = urls.length === 1 ? "Its file" : "Its files";
      const message = `The run ${result.id} is done, but ${place} was not saved: ${why}\n${all}: ${urls.join(" ")}`;
      throw new Error(message, { cause: error });
    }
    paths.push(place);
  }
  return paths;
}

/** `two.png` → `two-1.png`. */
function numbered(path: string, number: number): string {
  const { dir, name, ext } = parse(path);
  return join(dir, `${name}-${number}${ext}`);
}
