import { withoutDirectives } from "../directives.ts";
import { Refusal } from "../refusal.ts";
import type { RunRequest } from "../run-request.ts";
import { titleFrom } from "../web/prose.ts";

export type Company = { readonly domain: string; readonly name: string };

/** The company of a request, by its domain or else by its name. Those below `.invalid` have no e-mail addresses. */
export function companyIn({ query }: RunRequest): Company {
  const domain = query.get("domain")?.trim().toLowerCase() ?? "";
  if (domain !== "")
    return { domain: bareDomain(domain), name: titleFrom(bareDomain(domain).split(".")[0] ?? "") };
  const name = withoutDirectives(query.get("company") ?? "").trim();
  if (name === "") throw new Refusal(400, "You are missing the domain parameter");
  return { domain: `${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "")}.com`, name };
}

function bareDomain(domain: string): string {
  return domain.replace(/^(?:https?:\/\/)?(?:www\.)?/, "").replace(/\/.*$/, "");
}

export function isKnown({ domain }: Company): boolean {
  return !domain.endsWith(".invalid");
}
