/** Set by `npm run test:plan`. */
export const planVariable = "SKILLBOSS_TEST_PLAN";

export const isWholePlan = process.env[planVariable] === "whole";

/**
 * How often or how long a case of the test plan does what it does. `npm test` takes the quick number, which shows the same
 * guarantee and lets the whole suite end within minutes; `npm run test:plan` takes the plan's own.
 */
export function planned({ whole, quick }: { readonly whole: number; readonly quick: number }): number {
  return isWholePlan ? whole : quick;
}
