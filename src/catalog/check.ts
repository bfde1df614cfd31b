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
  const known = new Map(providers.map(({ facts }) => [facts.id, facts]));
  const owners = new Map<string, string>();
  const faults = [
    ...providers.flatMap((provider) => providerFaults(provider, wires)),
    ...models.flatMap((model) => within(model, nameFaults(model, owners))),
  ];
  return [
    ...faults,
    ...models.flatMap((model) =>
      within(model, [...offerFaults(model, known), ...replacementFaults(model, owners)]),
    ),
  ];
}

/** Paths of a model's facts, as paths of the file that has them. */
export function within({ at }: Sourced<ModelFacts>, faults: readonly Fault[]): readonly Fault[] {
  if (at === undefined) return faults;
  return faults.map((fault) => ({ ...fault, path: `${at}.${fault.path}` }));
}

function providerFaults({ file, facts }: Sourced<ProviderFacts>, wires: readonly string[]): Fault[] {
  const faults: Fault[] = [];
  if (facts.wire !== undefined && !wires.includes(facts.wire)) {
    faults.push({ file, path: "wire", fault: `no such wire: ${facts.wire}; known are ${wires.join(", ")}` });
  }
  if (facts.open_models !== undefined) {
    faults.push(...priceFaults(facts.open_models.price, file, "open_models.price"));
  }
  return [...faults, ...settingFaults(file, facts)];
}

/** What `auth` and the addresses name must be among the settings. */
function settingFaults(file: string, facts: ProviderFacts): Fault[] {
  const { auth } = facts;
  const named: [path: string, name: string][] = [];
  if (auth?.type === "basic") named.push(["auth.user", auth.user]);
  if (auth?.type === "jwt-hs256") named.push(["auth.issuer", auth.issuer]);
  if (auth?.type === "sigv4") {
    named.push(["auth.access_key", auth.access_key], ["auth.region", auth.region]);
    if (auth.session_token !== undefined) named.push(["auth.session_token", auth.session_token]);
  }
  for (const member of ["base_url", "run_base_url"] as const) {
    for (const [, name = ""] of (facts[member] ?? "").matchAll(/\{([^}]*)\}/g)) named.push([member, name]);
  }
  return named
    .filter(([, name]) => facts.settings[name] === undefined)
    .map(([path, name]) => ({ file, path, fault: `there is no setting ${name}` }));
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

function offerFaults(
  { file, facts }: Sourced<ModelFacts>,
  providers: ReadonlyMap<string, ProviderFacts>,
): Fault[] {
  return facts.offers.flatMap((offer, index) => {
    const path = `offers[${index}]`;
    const provider = providers.get(offer.provider);
    const fault = providerFault(offer.provider, provider, facts.kind);
    return [
      ...(fault === undefined ? [] : [{ file, path: `${path}.provider`, fault }]),
      ...(facts.kind === "chat" ? priceFaults(offer.price ?? [], file, `${path}.price`) : []),
    ];
  });
}

function providerFault(
  id: string,
  provider: ProviderFacts | undefined,
  kind: ModelFacts["kind"],
): string | undefined {
  if (provider === undefined) return `there is no provider ${id}`;
  return kind === "chat" && provider.wire === undefined ? `${id} speaks no wire for chats` : undefined;
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
