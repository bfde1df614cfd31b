import { access, constants, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Client } from "../client/client.ts";
import type { RunAnswer } from "../client/run-client.ts";
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

/** The address of the file that a result is; undefined: it is none. */
export function fileUrlIn(result: RunAnswer): string | undefined {
  const urls = [result["image_url"], result["video_url"], result["audio_url"]];
  return urls.find((one): one is string => typeof one === "string");
}

type Saving = { readonly client: Client; readonly path: string };

/** Saves a result's file. Where that fails, the message has what is needed to get it all the same. */
export async function saveFile(result: RunAnswer, { client, path }: Saving): Promise<void> {
  const url = fileUrlIn(result);
  if (url === undefined)
    throw new WrongUse(`This result has no file to save: leave --output out (${result.id}).`);
  try {
    await writeFile(path, await client.runs.download(url));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`The run ${result.id} is done, but ${path} was not saved: ${why}\nIts file: ${url}`, {
      cause: error,
    });
  }
}
