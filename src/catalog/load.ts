import type { Model, Provider } from "../core/model.ts";
import { modelOf, openModelOf, providerOf } from "./build.ts";
import type { Catalog, Found } from "./catalog.ts";
import { faultsBetween } from "./check.ts";
import { faultsOfRuns } from "./check-runs.ts";
import type { RunChecks } from "./check-runs.ts";
import { withLines } from "./fault-lines.ts";
import { nearNames } from "./near-names.ts";
import { readCatalogFiles } from "./read-files.ts";
import type { Fault } from "./read-files.ts";
import { isModelName } from "./schema.ts";
import type { OpenModelFacts } from "./schema.ts";

export type CatalogSources = {
  /** The built-in folder first, then the operator's own, whose files add or override by id. */
  readonly directories: readonly string[];
  /** Names in the registry of wires; a provider that speaks another one is a fault. */
  readonly wires?: readonly string[];
  readonly runChecks?: RunChecks;
};

const knownWires: readonly string[] = ["openai-chat", "anthropic-messages"];

/** Names every faulty file, line, field and fault. */
export class FaultyCatalog extends Error {
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[]) {
    const located = withLines(faults);
    super(describe(located));
    this.faults = located;
  }
}

/** A server with free model names: any `id/name` is a model. */
type OpenServer = { readonly provider: Provider; readonly facts: OpenModelFacts };

/** Reads the data once, at the start. Throws one error that names every faulty file, line, field and fault. */
export function loadCatalog({ directories, wires = knownWires, runChecks }: CatalogSources): Catalog {
  const files = readCatalogFiles(directories);
  const faults = [
    ...files.faults,
    ...faultsBetween(files.providers, files.models, wires),
    ...(runChecks === undefined ? [] : faultsOfRuns(files.models, runChecks)),
  ];
  if (faults.length > 0) throw new FaultyCatalog(faults);

  const providers = new Map<string, Provider>();
  const openServers = new Map<string, OpenServer>();
  for (const { facts } of files.providers) {
    const provider = providerOf(facts);
    providers.set(facts.id, provider);
    if (facts.open_models !== undefined) openServers.set(facts.id, { provider, facts: facts.open_models });
  }
  const models = files.models.map(({ facts }) => modelOf(facts, providers));
  const byName = namesOf(models);
  const nearest = nearNames(Array.from(byName, ([, { name, found }]) => [name, found.model.id] as const));
  return {
    version: files.version,
    providers: [...providers.values()],
    models,
    find: (name) =>
      isModelName(name) ? (byName.get(name.toLowerCase())?.found ?? openModel(name, openServers)) : undefined,
    near: nearest,
  };
}

type Named = { readonly name: string; readonly found: Found };

function namesOf(models: readonly Model[]): ReadonlyMap<string, Named> {
  const byName = new Map<string, Named>();
  for (const model of models) {
    byName.set(model.id.toLowerCase(), { name: model.id, found: { model, alias: undefined } });
    for (const alias of model.aliases) {
      byName.set(alias.id.toLowerCase(), { name: alias.id, found: { model, alias } });
    }
  }
  return byName;
}

function openModel(name: string, servers: ReadonlyMap<string, OpenServer>): Found | undefined {
  const slash = name.indexOf("/");
  const server = slash < 0 ? undefined : servers.get(name.slice(0, slash).toLowerCase());
  if (server === undefined) return undefined;
  return { model: openModelOf(name, server.facts, server.provider), alias: undefined };
}

/** The most faults that are told at once: a faulty template has one for each of its rows. */
const mostTold = 40;

/** `file:line: field: fault`, as compilers say it, so that editors find it. */
function faultText({ file, line, path, fault }: Fault): string {
  return `${file}${line === undefined ? "" : `:${line}`}: ${path === "" ? "" : `${path}: `}${fault}`;
}

function describe(faults: readonly Fault[]): string {
  const lines = new Set(faults.map((fault) => `  ${faultText(fault)}`));
  const told = [...lines].slice(0, mostTold);
  if (lines.size > told.length) told.push(`  and ${lines.size - told.length} more`);
  return `The catalog has ${lines.size === 1 ? "a fault" : `${lines.size} faults`}:\n${told.join("\n")}`;
}
