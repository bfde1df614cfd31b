import { isJsonObject } from "../../core/json-object.ts";
import { Problem } from "../../core/problems.ts";
import { jsonText } from "./json-values.ts";
import type { Scope } from "./place.ts";
import { writtenPath } from "./value-path.ts";
import type { ValuePath } from "./value-path.ts";

/**
 * The refusal of a value that cannot be sent. It is the customer's to mend when it comes from the inputs, the
 * operator's when it comes from a setting, and else ours.
 */
export function unsendable(reads: readonly ValuePath[], what: string): Problem {
  const inputs = new Set(reads.filter(([root]) => root === "inputs").map(writtenPath));
  if (inputs.size > 0) {
    const [param = "inputs"] = inputs.size === 1 ? inputs : [];
    const message = `The value of ${param} is missing or cannot be sent to this model's provider.`;
    return new Problem("invalid_request", { param, message });
  }
  const cause = new Error(`${what} cannot be sent`);
  const setting = reads.find(([root]) => root === "env");
  if (setting === undefined) return new Problem("internal_error", { cause });
  return new Problem("provider_not_configured", {
    message: `The setting ${writtenPath(setting)} of this provider is missing or cannot be used.`,
    cause,
  });
}

/** The refusal of inputs that make an address longer than servers take: names the longest of them. */
export function tooLong(reads: readonly ValuePath[], { inputs }: Scope): Problem {
  const names = reads.flatMap(([root, name]) =>
    root === "inputs" && typeof name === "string" ? [name] : [],
  );
  const sizeOf = (name: string): number =>
    jsonText(isJsonObject(inputs) ? inputs[name] : undefined)?.length ?? 0;
  const [longest] = names.toSorted((one, other) => sizeOf(other) - sizeOf(one));
  if (longest === undefined) return unsendable(reads, "the address");
  const param = `inputs.${longest}`;
  const message = `The value of ${param} is too long for this model's provider, which takes it in its address.`;
  return new Problem("invalid_request", { param, message });
}
