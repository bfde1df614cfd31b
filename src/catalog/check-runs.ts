import type { Endpoint } from "../core/endpoint.ts";
import { isJsonObject } from "../core/json-object.ts";
import type { JsonObject } from "../core/json-object.ts";
import type { RunModel } from "../core/model.ts";
import { closedInputs } from "./build.ts";
import { within } from "./check.ts";
import { endpointOf } from "./endpoint-schema.ts";
import { namedInputs } from "./named-inputs.ts";
import { nearNames } from "./near-names.ts";
import type { Fault, Sourced } from "./read-files.ts";
import type { ModelFacts, RunModelFacts, RunOfferFacts } from "./schema.ts";

/** Who compiles the data of runs knows what is wrong with it. */
export type RunChecks = {
  /** Files below this folder are known to be right: a server looks at nobody's data but the operator's so closely. */
  readonly trusted?: string | undefined;
  readonly ofEndpoint: (endpoint: Endpoint) => readonly RunFault[];
  readonly ofInputs: (described: DescribedInputs) => readonly RunFault[];
};

export type DescribedInputs = Pick<RunModel, "inputs" | "inputAliases"> & {
  readonly example: JsonObject | undefined;
};

/** The path is one within the endpoint, or within the model for its inputs. */
export type RunFault = { readonly path: string; readonly message: string };

/** Faults of run models that would show at the first run only. */
export function faultsOfRuns(models: readonly Sourced<ModelFacts>[], checks: RunChecks): readonly Fault[] {
  const { trusted } = checks;
  const templates = new Map<string, ReadonlySet<string>>();
  return models.flatMap((model) => {
    const { file, facts } = model;
    if (facts.kind === "chat" || (trusted !== undefined && file.startsWith(trusted))) return [];
    const known = namesKnownTo(model, facts, { models, templates });
    const faults = [...checks.ofInputs(describedInputs(facts)), ...offerFaults(facts, known, checks)];
    return within(
      model,
      faults.map(({ path, message }) => ({ file, path, fault: message })),
    );
  });
}

function describedInputs({ inputs, input_aliases: inputAliases, example }: RunModelFacts): DescribedInputs {
  return { inputs: closedInputs(inputs), inputAliases, example };
}

function offerFaults(
  { offers }: RunModelFacts,
  known: ReadonlySet<string> | undefined,
  { ofEndpoint }: RunChecks,
): readonly RunFault[] {
  return offers.flatMap((offer, index) => {
    if ("engine" in offer) return [];
    const at = `offers[${index}]`;
    const told = ofEndpoint(endpointOf(offer));
    const unknown = known === undefined ? [] : unknownInputs(offer, at, known);
    return [...told.map(({ path, message }) => ({ path: `${at}.${path}`, message })), ...unknown];
  });
}

/** Inputs that an offer reads although nobody can send them. */
function unknownInputs(offer: RunOfferFacts, at: string, known: ReadonlySet<string>): readonly RunFault[] {
  const inlined =
    "inline" in offer
      ? Object.keys(offer.inline).map((name) => ({ name, path: `${at}.inline.${name}` }))
      : [];
  const unknown = [...namedInputs(offer, at), ...inlined].filter(({ name }) => !known.has(name));
  if (unknown.length === 0) return [];
  const nearest = nearNames(Array.from(known, (name) => [name, name] as const));
  return unknown.map(({ name, path }) => {
    const [near] = nearest(name, 1);
    const hint = near === undefined ? "" : `; did you mean ${near}?`;
    return { path, message: `inputs.${name}: there is no such input${hint}` };
  });
}

type Kin = {
  readonly models: readonly Sourced<ModelFacts>[];
  /** By the template's file: the inputs of all its rows. */
  readonly templates: Map<string, ReadonlySet<string>>;
};

/** A template may name inputs that only some of its rows have. Undefined: the inputs may have any name. */
function namesKnownTo(
  { template }: Sourced<ModelFacts>,
  { inputs }: RunModelFacts,
  { models, templates }: Kin,
): ReadonlySet<string> | undefined {
  if (closedInputs(inputs)["additionalProperties"] !== false) return undefined;
  if (inputs["patternProperties"] !== undefined) return undefined;
  if (template === undefined) return new Set(inputNames(inputs));
  const known = templates.get(template);
  if (known !== undefined) return known;
  const kin = models.filter((other) => other.template === template);
  const names = new Set(kin.flatMap(({ facts }) => (facts.kind === "run" ? inputNames(facts.inputs) : [])));
  templates.set(template, names);
  return names;
}

function inputNames({ properties }: JsonObject): readonly string[] {
  return isJsonObject(properties) ? Object.keys(properties) : [];
}
