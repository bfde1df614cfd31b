import type { z } from "zod";

export type ToldIssue = { readonly path: readonly PropertyKey[]; readonly message: string };

/** What is wrong, by the member at fault. Where several forms are allowed: what is wrong with the one that was meant. */
export function toldIssues(issues: readonly z.core.$ZodIssue[]): readonly ToldIssue[] {
  return issues.flatMap((issue): readonly ToldIssue[] => {
    if (issue.code !== "invalid_union" || issue.errors.length === 0) return [issue];
    const forms = issue.errors.map((form) => ({ form, distance: distanceOf(form) }));
    const meant = forms.reduce((best, other) => (other.distance < best.distance ? other : best));
    return toldIssues(meant.form).map(({ path, message }) => ({ path: [...issue.path, ...path], message }));
  });
}

/** How far what was written is from a form: each member that it does not know counts like one that it misses. */
function distanceOf(issues: readonly z.core.$ZodIssue[]): number {
  return issues.reduce((sum, issue) => sum + (issue.code === "unrecognized_keys" ? issue.keys.length : 1), 0);
}

/** `["offers", 0, "price"]` is `offers[0].price`. */
export function dotted(path: readonly PropertyKey[]): string {
  return path
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`))
    .join("")
    .replace(/^\./, "");
}
