/** What a video costs in units of a resource pack, per second: without sound, and with it where it can be made. */
type Rate = { readonly silent: number; readonly sounding?: number };

type Rates = { readonly std?: Rate; readonly pro: Rate };

const rates: ReadonlyMap<string, Rates> = new Map([
  ["kling-v3", { std: { silent: 0.6, sounding: 0.9 }, pro: { silent: 0.8, sounding: 1.2 } }],
  ["kling-v2-6", { std: { silent: 0.3 }, pro: { silent: 0.5, sounding: 1 } }],
  ["kling-v2-5-turbo", { std: { silent: 0.3 }, pro: { silent: 0.5 } }],
  ["kling-v2-1-master", { pro: { silent: 2 } }],
  ["kling-v2-1", { std: { silent: 0.4 }, pro: { silent: 0.7 } }],
]);
const otherRates: Rates = { std: { silent: 0.2 }, pro: { silent: 0.7 } };

export type Wanted = {
  readonly model: string;
  readonly mode: "std" | "pro";
  readonly seconds: number;
  readonly hasSound: boolean;
};

export function unitsFor({ model, mode, seconds, hasSound }: Wanted): number {
  const known = rates.get(model) ?? otherRates;
  const rate = known[mode] ?? known.pro;
  const perSecond = hasSound ? (rate.sounding ?? rate.silent) : rate.silent;
  return Math.round(perSecond * seconds * 100) / 100;
}
