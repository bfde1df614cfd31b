import type { EndpointMeter } from "../../core/endpoint.ts";
import { Problem } from "../../core/problems.ts";
import { meters } from "../../core/usage.ts";
import type { Meter, Usage } from "../../core/usage.ts";
import { compileExpression } from "./expression.ts";
import type { CompiledExpression } from "./expression.ts";
import type { EndpointFault, Scope } from "./place.ts";
import { rootsOf } from "./scopes.ts";
import { writtenPath } from "./value-path.ts";

export type CompiledMeter = {
  readonly meter: Meter;
  readonly reserve: CompiledExpression;
  readonly quantity: CompiledExpression | undefined;
};

/** No run has more of anything; a larger number is a fault of whoever told it. */
const mostQuantity = 1_000_000_000_000;

export function compileMeters(
  declared: readonly EndpointMeter[],
  roots: ReadonlySet<string>,
  faults: EndpointFault[],
): readonly CompiledMeter[] {
  return declared.flatMap(({ meter, reserve, quantity }, index) => {
    const path = `meters[${index}]`;
    if (!isMeter(meter)) {
      faults.push({ path: `${path}.meter`, message: `want one of ${meters.join(", ")}` });
      return [];
    }
    if (declared.findIndex((other) => other.meter === meter) !== index) {
      faults.push({ path: `${path}.meter`, message: `${meter} is metered twice` });
    }
    const before = faults.length;
    const reserved = compileExpression(reserve, { path: `${path}.reserve`, roots: rootsOf.reserve, faults });
    const isFixed = reserved.reads.length === 0 && faults.length === before;
    if (isFixed && boundOf(meter, reserved.evaluate({})) === undefined) {
      faults.push({ path: `${path}.reserve`, message: "want a quantity of zero or more" });
    }
    const told =
      quantity === undefined
        ? undefined
        : compileExpression(quantity, { path: `${path}.quantity`, roots, faults });
    return [{ meter, reserve: reserved, quantity: told }];
  });
}

function isMeter(name: string): name is Meter {
  return (meters as readonly string[]).includes(name);
}

/** As a provider tells it: nobody makes half a token, so who says so tells nothing. */
function toldQuantity(meter: Meter, value: unknown): number | undefined {
  const quantity = quantityOf(value);
  return quantity === undefined || !isCounted(meter) || Number.isInteger(quantity) ? quantity : undefined;
}

/** As we reckon it: factors make fractions of tokens, and what they bound is whole. */
function boundOf(meter: Meter, value: unknown): number | undefined {
  const quantity = quantityOf(value);
  return quantity === undefined || !isCounted(meter) ? quantity : Math.ceil(quantity);
}

function quantityOf(value: unknown): number | undefined {
  return typeof value === "number" && value >= 0 && value <= mostQuantity ? value : undefined;
}

function isCounted(meter: Meter): boolean {
  return meter.endsWith("_tokens");
}

/** The largest usage. Throws `Problem` when the inputs do not tell one. */
export function reservedUsage(compiled: readonly CompiledMeter[], scope: Scope): Usage {
  const usage: Partial<Record<Meter, number>> = {};
  for (const { meter, reserve } of compiled) {
    const quantity = boundOf(meter, reserve.evaluate(scope));
    if (quantity === undefined) throw unsized(meter, reserve);
    usage[meter] = quantity;
  }
  return usage;
}

function unsized(meter: Meter, { reads }: CompiledExpression): Problem {
  const inputs = new Set(reads.filter(([root]) => root === "inputs").map(writtenPath));
  const cause = new Error(`no quantity of ${meter} to reserve`);
  if (inputs.size === 0) return new Problem("internal_error", { cause });
  const [param = "inputs"] = inputs.size === 1 ? inputs : [];
  const message = `How large this run may get cannot be told from ${param}.`;
  return new Problem("invalid_request", { message, param, cause });
}

export function isTakenFromContent({ quantity }: CompiledMeter): boolean {
  return quantity?.reads.some(([root]) => root !== "headers" && !rootsOf.submission.has(root)) ?? false;
}

/** What was used in the end; `estimated` when a quantity was to be told and was not. */
export function finalUsage(
  compiled: readonly CompiledMeter[],
  { before, after }: { readonly before: Scope; readonly after: Scope },
): { readonly usage: Usage; readonly estimated: boolean } {
  const usage: Partial<Record<Meter, number>> = {};
  let estimated = false;
  for (const { meter, reserve, quantity } of compiled) {
    const told = quantity === undefined ? undefined : toldQuantity(meter, quantity.evaluate(after));
    usage[meter] = told ?? boundOf(meter, reserve.evaluate(before)) ?? 0;
    estimated ||= quantity !== undefined && told === undefined;
  }
  return { usage, estimated };
}
