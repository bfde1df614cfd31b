import { loadTokenizer } from "../answers/tokens.ts";
import { Refusal } from "../refusal.ts";

export type TextsRule = {
  /** The member of the request they stand in. */
  readonly param: string;
  readonly most: number;
  /** What the provider answers to texts that it does not take. */
  readonly status: number;
};

/** One text, or a list of them, none empty. Refused with `param`. */
export function textsIn(value: unknown, { param, most, status }: TextsRule): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  const texts = list.filter((item) => typeof item === "string" && item !== "");
  if (value === undefined || value === null) throw refused(status, `'${param}' is required.`, param);
  if (texts.length !== list.length || texts.length === 0) {
    throw refused(status, `'${param}' must be texts, none of them empty.`, param);
  }
  if (texts.length > most) throw refused(status, `'${param}' has more than ${most} texts.`, param);
  return texts.filter((item) => typeof item === "string");
}

function refused(status: number, message: string, param: string): Refusal {
  return new Refusal(status, message, { param });
}

/** All tokens of the texts together. */
export async function tokensOf(texts: readonly string[]): Promise<number> {
  return await (await loadTokenizer()).countAll(texts);
}
