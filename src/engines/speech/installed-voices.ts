import { runProgram } from "../run-program.ts";
import type { ProgramRun } from "../run-program.ts";

/** What the program can speak with: what it takes, by names in lower case. */
export type InstalledVoices = {
  /** Languages by their codes, their files and what they are called: `pt-br`, `roa/pt-br` and `portuguese_(brazil)`. */
  readonly languages: ReadonlyMap<string, string>;
  /** How one voice is told from another of the same language: `f3`, `croak`. */
  readonly variants: ReadonlyMap<string, string>;
};

type Asking = Pick<ProgramRun, "program" | "signal" | "searchPath">;

const timeoutMs = 10_000;
const maxOutputBytes = 1_000_000;

/** Asks each program once. Undefined for one that does not say: then it judges by itself what it is told to speak with. */
export class VoiceLists {
  readonly #known = new Map<string, InstalledVoices>();

  async of(asking: Asking): Promise<InstalledVoices | undefined> {
    const known = this.#known.get(asking.program);
    if (known !== undefined) return known;
    const [languages, variants] = await Promise.all([
      list(asking, "--voices"),
      list(asking, "--voices=variant"),
    ]);
    if (languages.length === 0) return undefined;
    const voices = {
      languages: new Map(languages.flatMap(languageNames)),
      variants: new Map(variants.flatMap(variantNames)),
    };
    this.#known.set(asking.program, voices);
    return voices;
  }
}

/** The lines of its table, without the head that tells it from anything else the program may say. */
async function list(asking: Asking, option: string): Promise<readonly string[]> {
  const end = await runProgram({ ...asking, args: [option], timeoutMs, maxOutputBytes });
  const [head = "", ...lines] = end.output.toString("utf8").split("\n");
  return /^Pty\s+Language\b/.test(head) ? lines.filter((line) => line.trim() !== "") : [];
}

/** `5  pt-br  --/M  Portuguese_(Brazil)  roa/pt-BR  (pt 6)`. Of two with the same name the first is the usual one. */
const line = /^\s*\d+\s+(?<code>\S+)\s+\S+\s+(?<name>\S+)\s+(?<file>\S+)(?<others>.*)$/;

function languageNames(text: string): readonly (readonly [string, string])[] {
  const { code = "", name = "", file = "", others = "" } = line.exec(text)?.groups ?? {};
  const also = [...others.matchAll(/\((\S+) \d+\)/g)].map(([, other = ""]) => other);
  // The program finds the best of those that speak a language by itself.
  const codes = [code, ...also].map((one) => [one.toLowerCase(), one] as const);
  return [[name.toLowerCase(), code], [file.toLowerCase(), file], ...codes];
}

function variantNames(text: string): readonly (readonly [string, string])[] {
  const name = /\s!v\/(\S+)\s*$/.exec(text)?.[1];
  return name === undefined ? [] : [[name.toLowerCase(), name]];
}
