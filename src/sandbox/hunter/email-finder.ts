import { between, fingerprintOf, randomFrom } from "../answers/random.ts";
import { withoutDirectives } from "../directives.ts";
import { badRequest } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { companyIn, isKnown } from "./company.ts";

/** GET /v2/email-finder: without an address where the company is not known. */
export function findEmail(request: RunRequest): RunAnswer {
  const company = companyIn(request);
  const { first, last } = nameIn(request);
  const address = `${first}.${last}@${company.domain}`.toLowerCase().replaceAll(" ", "");
  const isFound = isKnown(company);
  return json({
    data: {
      first_name: first,
      last_name: last,
      email: isFound ? address : null,
      score: isFound ? between(randomFrom(fingerprintOf(address)), 70, 99) : null,
      domain: company.domain,
      accept_all: false,
      position: null,
      company: company.name,
      sources: [],
      verification: { date: isFound ? "2026-10-01" : null, status: isFound ? "valid" : null },
    },
    meta: { params: { first_name: first, last_name: last, domain: company.domain } },
  });
}

type Name = { readonly first: string; readonly last: string };

function nameIn({ query }: RunRequest): Name {
  const read = (name: string): string => withoutDirectives(query.get(name) ?? "").trim();
  const [first = "", ...others] = read("full_name").split(/\s+/);
  const name = { first: read("first_name") || first, last: read("last_name") || others.join(" ") };
  if (name.first !== "" && name.last !== "") return name;
  throw badRequest("You are missing the first_name, last_name or full_name parameter");
}
