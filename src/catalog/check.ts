import type { Fault, Sourced } from "./read-files.ts";
import type { ModelFacts, ProviderFacts, RateFacts } from "./schema.ts";

/** A call that cannot be priced is refused, so a chat offer without these would be dead. */
const chatMeters = ["input_tokens", "output_tokens"] as const;

/** Faults that only show when the files are read together, or that depend on the kind of model. */
export function faultsBetween(
  providers: readonly Sourced<ProviderFacts>[],
  models: readonly Sourced<ModelFacts>[],
  wires: readonly string[],
): Fault[] {
  const providerIds = new Set(providers.map(({ facts }) => facts.id));
  const owners = new Map<string, string>();
  const faults = [
    ...providers.flatMap((provider) => providerFaults(provider, wires)),
    ...models.flatMap((model) => nameFaults(model, owners)),
  ];
  return [
    ...faults,
    ...models.flatMap((model) => [
      ...modelFaults(model),
      ...offerFaults(model, providerIds),
      ...replacementFaults(model, owners),
    ]),
  ];
}

function providerFaults({ file, facts }: Sourced<ProviderFacts>, wires: readonly string[]): Fault[] {
  const faults: Fault[] = [];
  if (!wires.includes(facts.wire)) {
    faults.push({ file, path: "wire", fault: `no such wire: ${facts.wire}; known are ${wires.join(", ")}` });
  }
  if (facts.open_models !== undefined) {
    faults.push(...priceFaults(facts.open_models.price, file, "open_models.price"));
  }
  return faults;
}

/** Ids and aliases share one space, without regard to case. */
function nameFaults({ file, facts }: Sourced<ModelFacts>, owners: Map<string, string>): Fault[] {
  const faults: Fault[] = [];
  const names = [facts.id, ...facts.aliases.map((alias) => alias.id)];
  for (const [index, name] of names.entries()) {
    const owner = owners.get(name.toLowerCase());
    const path = index === 0 ? "id" : `aliases[${index - 1}].id`;
    if (owner === undefined) owners.set(name.toLowerCase(), file);
    else faults.push({ file, path, fault: `the name ${name} is taken in ${owner}` });
  }
  return faults;
}

function modelFaults({ file, facts }: Sourced<ModelFacts>): Fault[] {
  const faults: Fault[] = [];
  if (facts.kind === "run") {
    if (facts.offers.length === 0 && (facts.retail ?? []).length === 0) {
      faults.push({ file, path: "retail", fault: "a run model without offers says its retail price" });
    }
    return faults;
  }
  for (const field of ["context_window", "max_output"] as const) {
    if (facts[field] === undefined) faults.push({ file, path: field, fault: "a chat model says its limits" });
  }
  if (facts.offers.length === 0) {
    faults.push({ file, path: "offers", fault: "a chat model has at least one offer" });
  }
  if (facts.retail !== undefined) {
    faults.push({ file, path: "retail", fault: "a chat model is sold at its offers' prices" });
  }
  return faults;
}

function offerFaults({ file, facts }: Sourced<ModelFacts>, providerIds: ReadonlySet<string>): Fault[] {
  return facts.offers.flatMap((offer, index) => {
    const path = `offers[${index}]`;
    const unknown = { file, path: `${path}.provider`, fault: `there is no provider ${offer.provider}` };
    return [
      ...(providerIds.has(offer.provider) ? [] : [unknown]),
      ...(facts.kind === "chat" ? priceFaults(offer.price, file, `${path}.price`) : []),
    ];
  });
}

/** A rate that holds only under a condition prices nothing below it. */
function priceFaults(price: readonly RateFacts[], file: string, path: string): Fault[] {
  return chatMeters
    .filter((meter) => !price.some((rate) => rate.meter === meter && rate.when === undefined))
    .map((meter) => ({ file, path, fault: `no rate for ${meter} that holds without a condition` }));
}

function replacementFaults(
  { file, facts }: Sourced<ModelFacts>,
  owners: ReadonlyMap<string, string>,
): Fault[] {
  const replacement = facts.lifecycle.replacement;
  if (replacement === undefined || owners.has(replacement.toLowerCase())) return [];
  return [{ file, path: "lifecycle.replacement", fault: `there is no model ${replacement}` }];
}
