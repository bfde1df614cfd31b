import { isObject } from "../json.ts";
import type { JsonObject } from "../json.ts";

export type Task = "text_to_video" | "image_to_video" | "text_to_image";

/** What a model makes, and what it costs in credits of one US cent. */
export type RunwayModel = {
  readonly tasks: readonly Task[];
  /** The seconds it can be asked for, the usual ones first; none for a picture. */
  readonly seconds: readonly number[];
  readonly credits: (asked: Asked) => number;
};

export type Asked = { readonly seconds: number; readonly height: number; readonly body: JsonObject };

const both: readonly Task[] = ["text_to_video", "image_to_video"];
const twoToTen = [5, 2, 3, 4, 6, 7, 8, 9, 10];

function perSecond(credits: number, silent = credits): RunwayModel["credits"] {
  return ({ seconds, body }) => seconds * (body["audio"] === false ? silent : credits);
}

const models: ReadonlyMap<string, RunwayModel> = new Map([
  ["gen4.5", { tasks: both, seconds: twoToTen, credits: perSecond(12) }],
  ["gen4_turbo", { tasks: ["image_to_video"], seconds: twoToTen, credits: perSecond(5) }],
  ["veo3.1", { tasks: both, seconds: [8, 4, 6], credits: perSecond(40, 20) }],
  ["veo3.1_fast", { tasks: both, seconds: [8, 4, 6], credits: perSecond(15, 10) }],
  ["gen4_image", { tasks: ["text_to_image"], seconds: [], credits: ({ height }) => (height > 720 ? 8 : 5) }],
  ["gen4_image_turbo", { tasks: ["text_to_image"], seconds: [], credits: () => 2 }],
]);

export function modelFor(name: unknown, task: Task): RunwayModel | undefined {
  const model = typeof name === "string" ? models.get(name) : undefined;
  return model?.tasks.includes(task) === true ? model : undefined;
}

/** The address of a picture, of which the first one is the first frame. */
export function pictureIn(given: unknown): string | undefined {
  const [first] = Array.isArray(given) ? given : [given];
  const uri: unknown = isObject(first) ? first["uri"] : first;
  return typeof uri === "string" && uri !== "" ? uri : undefined;
}
