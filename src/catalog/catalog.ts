import type { Alias, Model, Provider } from "../core/model.ts";

/** A model found by the name a customer asked for. */
export type Found<Kind extends Model = Model> = {
  readonly model: Kind;
  readonly alias: Alias | undefined;
};

export type Catalog = {
  /** Hash of all data; the price version that a hold freezes. */
  readonly version: string;
  readonly providers: readonly Provider[];
  readonly models: readonly Model[];
  /** By id or alias, without regard to case. */
  find(name: string): Found | undefined;
  /** The ids most like a name that was not found, best first. */
  near(name: string, limit: number): readonly string[];
};
