import { between, fingerprintOf, pick, randomFrom } from "../answers/random.ts";
import type { JsonObject } from "../json.ts";
import { badRequest } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { companyIn, isKnown } from "./company.ts";
import type { Company } from "./company.ts";

const firstNames = ["Ada", "Grace", "Alan", "Edith", "Kurt", "Emmy", "Niels", "Marie"];
const lastNames = ["Clarke", "Hopper", "Turner", "Noether", "Bohm", "Curtis", "Lamarr", "Jensen"];
const departments = ["executive", "it", "sales", "marketing", "support", "finance"];
const general = ["info", "hello", "support", "sales"];

const usualLimit = 10;
const mostPerAnswer = 100;

/** GET /v2/domain-search. */
export function domainSearch(request: RunRequest): RunAnswer {
  const company = companyIn(request);
  const limit = wholeIn(request, "limit", usualLimit);
  if (limit > mostPerAnswer) throw badRequest(`limit must be at most ${mostPerAnswer}`);
  const offset = wholeIn(request, "offset", 0);
  const wanted = request.query.get("type");
  const emails = knownOf(company).filter(({ type }) => wanted === null || type === wanted);
  return json({
    data: {
      domain: company.domain,
      disposable: false,
      webmail: false,
      accept_all: false,
      pattern: "{first}.{last}",
      organization: company.name,
      country: "US",
      emails: emails.slice(offset, offset + limit),
      linked_domains: [],
    },
    meta: {
      results: emails.length,
      limit,
      offset,
      params: { domain: company.domain, company: null, type: wanted },
    },
  });
}

/** Not among its own: a number that is no whole one is a 400. */
function wholeIn({ query }: RunRequest, name: string, usual: number): number {
  const text = query.get(name);
  if (text === null) return usual;
  if (!/^\d{1,6}$/.test(text)) throw badRequest(`${name} must be a whole number`);
  return Number(text);
}

/** All addresses of a company: twelve to thirty-six. */
function knownOf(company: Company): readonly JsonObject[] {
  if (!isKnown(company)) return [];
  const random = randomFrom(fingerprintOf(company.domain));
  return Array.from({ length: between(random, 12, 36) }, (_, at) => {
    const name = general[at];
    return name === undefined ? person(company, at) : addressOf(company, { value: name, type: "generic" });
  });
}

function person(company: Company, at: number): JsonObject {
  const random = randomFrom(fingerprintOf(`${company.domain} ${at}`));
  const first = firstNames[at % firstNames.length] ?? "Ada";
  const last = lastNames[Math.floor(at / firstNames.length) % lastNames.length] ?? "Clarke";
  return addressOf(company, {
    value: `${first}.${last}`.toLowerCase(),
    type: "personal",
    first_name: first,
    last_name: last,
    position: "Engineer",
    seniority: pick(random, ["junior", "senior", "executive"], "senior"),
    department: pick(random, departments, "it"),
  });
}

function addressOf({ domain }: Company, { value, ...members }: JsonObject): JsonObject {
  const address = `${String(value)}@${domain}`;
  return {
    value: address,
    confidence: between(randomFrom(fingerprintOf(address)), 60, 99),
    ...members,
    sources: [{ domain, uri: `https://${domain}/contact`, extracted_on: "2026-05-04", still_on_page: true }],
    verification: { date: "2026-10-01", status: "valid" },
  };
}
