import type { Fault, Sourced } from "./read-files.ts";
import type { ModelFacts, ProviderFacts, RateFacts, RunOfferFacts } from "./schema.ts";

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
    ...nameFaults(models, owners),
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

/**
 * Ids and aliases share one space, without regard to case. Of two the later folder's is at fault, and within a folder the
 * alias that is somebody's id.
 */
function nameFaults(models: readonly Sourced<ModelFacts>[], owners: Map<string, string>): readonly Fault[] {
  const faults: Fault[] = [];
  const take = (model: Sourced<ModelFacts>, name: string, path: string): void => {
    const owner = owners.get(name.toLowerCase());
    if (owner === undefined) owners.set(name.toLowerCase(), model.file);
    else
      faults.push(
        ...within(model, [{ file: model.file, path, fault: `the name ${name} is taken in ${owner}` }]),
      );
  };
  for (const [, here] of [...Map.groupBy(models, ({ layer }) => layer)].sort(byLayer)) {
    for (const model of here) take(model, model.facts.id, "id");
    for (const model of here) {
      for (const [index, alias] of model.facts.aliases.entries())
        take(model, alias.id, `aliases[${index}].id`);
    }
  }
  return faults;
}

function byLayer([one]: readonly [number, unknown], [other]: readonly [number, unknown]): number {
  return one - other;
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
      ...("meters" in offer && facts.kind === "run" ? meterFaults(offer, facts.retail, { file, path }) : []),
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

/** A run whose usage has no price would end in nothing: it is refused before it is asked for. */
function meterFaults(
  { meters, price }: Pick<Extract<RunOfferFacts, { meters: unknown }>, "meters" | "price">,
  retail: readonly RateFacts[],
  { file, path }: { readonly file: string; readonly path: string },
): Fault[] {
  const rates = price ?? retail;
  return meters.flatMap(({ meter }, index) => {
    if (rates.some((rate) => rate.meter === meter && rate.when === undefined)) return [];
    const fault = `${meter} has no price: give the model's retail, or the offer's price, a rate for it`;
    return [{ file, path: `${path}.meters[${index}].meter`, fault }];
  });
}

function replacementFaults(
  { file, facts }: Sourced<ModelFacts>,
  owners: ReadonlyMap<string, string>,
): Fault[] {
  const replacement = facts.lifecycle.replacement;
  if (replacement === undefined || owners.has(replacement.toLowerCase())) return [];
  return [{ file, path: "lifecycle.replacement", fault: `there is no model ${replacement}` }];
}
