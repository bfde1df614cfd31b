import { createHash } from "node:crypto";
import type { Hash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { z } from "zod";
import { dotted, toldIssues } from "./told-issues.ts";
import { familyFile, modelsFrom, templateIn } from "./family.ts";
import type { FamilyFacts } from "./family.ts";
import { modelSchemaOf, providerFile } from "./schema.ts";
import type { ModelFacts, ProviderFacts } from "./schema.ts";
import { catalogFolders, strayFaults } from "./stray-files.ts";

/** One thing wrong in one file: what the person who wrote the file needs to find and mend it. */
export type Fault = {
  readonly file: string;
  /** Counted from 1. Known where the file can be read. */
  readonly line?: number;
  /** Such as `offers[0].price`; empty for the file as a whole. */
  readonly path: string;
  readonly fault: string;
};

/** Facts and the file they were read from. */
export type Sourced<Facts> = {
  readonly file: string;
  readonly facts: Facts;
  /** Which of the directories the file lies in: 0 for the built-in one. */
  readonly layer: number;
  /** Where in the file they stand, when they are not all of it: `rows[3]`. */
  readonly at?: string;
  /** The file of the template that they were filled into. */
  readonly template?: string;
};

export type CatalogFiles = {
  readonly providers: readonly Sourced<ProviderFacts>[];
  readonly models: readonly Sourced<ModelFacts>[];
  readonly faults: readonly Fault[];
  /** Of all that stands in the files: any change of a price, limit, address or name changes it. */
  readonly version: string;
};

/**
 * The JSON files at any depth of `providers`, `models` and `families` in each directory. An id in a later directory
 * replaces the same id of an earlier one; twice in one directory is a fault, and so is a file beside the three.
 */
export function readCatalogFiles(directories: readonly string[]): CatalogFiles {
  const faults: Fault[] = [];
  const hash = createHash("sha256");
  const providers = new Map<string, Sourced<ProviderFacts>>();
  const models = new Map<string, Sourced<ModelFacts>>();
  const families: Families = new Map();
  for (const [layer, directory] of directories.entries()) {
    const seen: Seen = { faults, hash, layer };
    if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) {
      faults.push({ file: directory, path: "", fault: "there is no such directory" });
      continue;
    }
    faults.push(...strayFaults(directory));
    override(
      providers,
      readAll(join(directory, "providers"), () => providerFile, seen),
      faults,
    );
    const single = readAll(join(directory, "models"), modelSchemaOf, seen);
    override(models, [...readFamilies(join(directory, "families"), families, seen), ...single], faults);
  }
  const version = hash.digest("hex").slice(0, 16);
  return { providers: sorted(providers), models: sorted(models), faults, version };
}

/** The providers alone, as far as they can be read: what is wrong with their files is told with all the others'. */
export function readProviders(directories: readonly string[]): readonly ProviderFacts[] {
  const providers = new Map<string, ProviderFacts>();
  for (const [layer, directory] of directories.entries()) {
    const seen: Seen = { faults: [], hash: createHash("sha256"), layer };
    const read = readAll(join(directory, "providers"), () => providerFile, seen);
    for (const { facts } of read) providers.set(facts.id, facts);
  }
  return [...providers.values()];
}

/** The files are read once: compiling the checks for speed costs more than it saves. */
const once = { jitless: true } as const;

/** What comes of reading beside the facts. */
type Seen = { readonly faults: Fault[]; readonly hash: Hash; readonly layer: number };

function override<Facts extends { readonly id: string }>(
  known: Map<string, Sourced<Facts>>,
  added: readonly Sourced<Facts>[],
  faults: Fault[],
): void {
  const here = new Map<string, string>();
  for (const sourced of added) {
    const id = sourced.facts.id.toLowerCase();
    const first = here.get(id);
    if (first !== undefined) {
      faults.push({
        file: sourced.file,
        path: "id",
        fault: `${sourced.facts.id} is also the id in ${first}`,
      });
      continue;
    }
    here.set(id, sourced.file);
    known.set(id, sourced);
  }
}

function readAll<Schema extends z.ZodType>(
  directory: string,
  schemaOf: (value: unknown) => Schema,
  { faults, hash, layer }: Seen,
): Sourced<z.output<Schema>>[] {
  return jsonFiles(directory).flatMap((file) => {
    const content = parsed(file, faults);
    hash.update(content?.text ?? "");
    if (content === undefined) return [];
    const read = schemaOf(content.value).safeParse(content.value, once);
    if (read.success) return [{ file, facts: read.data, layer }];
    for (const { path, message } of toldIssues(read.error.issues)) {
      faults.push({ file, path: dotted(path), fault: message });
    }
    return [];
  });
}

type Families = Map<string, Sourced<FamilyFacts>>;

/**
 * Each row of a family is read as the model file that it stands for. Families of this folder and of those before it can be
 * extended, the first of a name.
 */
function readFamilies(directory: string, known: Families, seen: Seen): Sourced<ModelFacts>[] {
  const families = readAll(directory, () => familyFile, seen);
  for (const family of families) {
    if (!known.has(family.facts.family)) known.set(family.facts.family, family);
  }
  return families.flatMap((family) => rowsOf(family, known, seen));
}

function rowsOf({ file, facts }: Sourced<FamilyFacts>, known: Families, { faults, layer }: Seen) {
  const template = templateIn(facts, (name) => known.get(name)?.facts);
  if (typeof template === "string") {
    const path = facts.extends === undefined ? "model" : "extends";
    faults.push({ file, path, fault: template });
    return [];
  }
  const origin = known.get(facts.extends ?? facts.family)?.file ?? file;
  const modelOf = modelsFrom(template);
  return facts.rows.flatMap((row, index): Sourced<ModelFacts>[] => {
    const at = `rows[${index}]`;
    try {
      const content = modelOf(row);
      const read = modelSchemaOf(content).safeParse(content, once);
      if (read.success) return [{ file, facts: read.data, layer, at, template: origin }];
      for (const { path, message } of toldIssues(read.error.issues)) {
        faults.push({ file, path: `${at}.${dotted(path)}`, fault: message });
      }
    } catch (error) {
      faults.push({ file, path: at, fault: error instanceof Error ? error.message : "cannot be read" });
    }
    return [];
  });
}

function parsed(
  file: string,
  faults: Fault[],
): { readonly text: string; readonly value: unknown } | undefined {
  try {
    const text = readFileSync(file, "utf8");
    const value: unknown = JSON.parse(text);
    return { text, value };
  } catch (error) {
    faults.push({ file, path: "", fault: error instanceof Error ? error.message : "cannot be read" });
    return undefined;
  }
}

/** How many files of a directory are read. */
export function countFiles(directory: string): number {
  return catalogFolders.reduce((sum, name) => sum + jsonFiles(join(directory, name)).length, 0);
}

function jsonFiles(directory: string): string[] {
  if (statSync(directory, { throwIfNoEntry: false }) === undefined) return [];
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory() && entry.name.endsWith(".json"))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function sorted<Facts>(byId: ReadonlyMap<string, Sourced<Facts>>): Sourced<Facts>[] {
  return [...byId].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, sourced]) => sourced);
}
