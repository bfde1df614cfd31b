import { isJsonObject } from "../core/json-object.ts";
import type { JsonObject } from "../core/json-object.ts";
import { Problem } from "../core/problems.ts";

type Range = { readonly min: number; readonly max: number; readonly whole?: boolean };

/**
 * The members of a run's inputs, or of an object within them, each read with its bounds. What does not fit is a 400 that
 * names the member by its path: `overlays[2].left`. A member that is null is not there.
 */
export class InputValues {
  readonly #values: JsonObject;
  /** The path of the object itself; empty for the inputs. */
  readonly #place: string;

  constructor(values: JsonObject, place = "") {
    this.#values = values;
    this.#place = place;
  }

  /** The path of a member, as a refusal names it. */
  place(name: string): string {
    return this.#place === "" ? name : `${this.#place}.${name}`;
  }

  refusal(name: string, message: string): Problem {
    return badInput(this.place(name), message);
  }

  value(name: string): unknown {
    return this.#values[name] ?? undefined;
  }

  has(name: string): boolean {
    return this.value(name) !== undefined;
  }

  /** Characters are counted as code points. */
  text(name: string, maxChars: number): string | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    if (typeof value !== "string") throw this.refusal(name, `${this.place(name)} is a text.`);
    if (value.length > maxChars && charsIn(value) > maxChars)
      throw this.refusal(name, `${this.place(name)} has at most ${maxChars} characters.`);
    return value;
  }

  number(name: string, { min, max, whole = false }: Range): number | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    const fits = typeof value === "number" && value >= min && value <= max;
    if (fits && (!whole || Number.isInteger(value))) return value;
    throw this.refusal(
      name,
      `${this.place(name)} is a ${whole ? "whole " : ""}number from ${min} to ${max}.`,
    );
  }

  choice<Choice extends string>(name: string, choices: readonly Choice[]): Choice | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    const chosen = choices.find((choice) => choice === value);
    if (chosen === undefined)
      throw this.refusal(name, `${this.place(name)} is one of ${choices.join(", ")}.`);
    return chosen;
  }

  flag(name: string): boolean {
    const value = this.value(name) ?? false;
    if (typeof value !== "boolean") throw this.refusal(name, `${this.place(name)} is true or false.`);
    return value;
  }

  list(name: string, maxItems: number): readonly unknown[] {
    const value = this.value(name) ?? [];
    if (!Array.isArray(value)) throw this.refusal(name, `${this.place(name)} is a list.`);
    if (value.length > maxItems)
      throw this.refusal(name, `${this.place(name)} has at most ${maxItems} items.`);
    return value;
  }

  objects(name: string, maxItems: number): readonly InputValues[] {
    return this.list(name, maxItems).map((item, index) => {
      const place = `${this.place(name)}[${index}]`;
      if (!isJsonObject(item)) throw badInput(place, `${place} is an object.`);
      return new InputValues(item, place);
    });
  }
}

export function badInput(param: string, message: string): Problem {
  return new Problem("invalid_request", { param, message });
}

/** Code points: what people are charged for and what limits count. */
export function charsIn(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
