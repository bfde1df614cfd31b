import type { IncomingHttpHeaders } from "node:http";
import { Refusal } from "./refusal.ts";

/** How a provider's clients show who they are. */
export type CredentialForm =
  | { readonly kind: "header"; readonly name: string; readonly prefix: string }
  | { readonly kind: "query"; readonly name: string }
  /** User and password; either of them being `invalid` is refused. */
  | { readonly kind: "basic" }
  /** AWS: that the parts of a signature are there, for this service; it is not computed. */
  | { readonly kind: "sigv4"; readonly service: string };

export const bearer: CredentialForm = { kind: "header", name: "authorization", prefix: "Bearer " };

type Shown = { readonly headers: IncomingHttpHeaders; readonly query: URLSearchParams };

/** A credential that every provider refuses. */
export const refusedCredential = "invalid";

/** Any credential is good except none and `invalid`. The refusal's code is `no_credential` or `bad_credential`. */
export function checkCredential(forms: readonly CredentialForm[], shown: Shown): void {
  if (forms.length === 0) return;
  const worn = forms.map((form) => wornAs(form, shown)).find((parts) => parts.length > 0);
  if (worn === undefined) throw new Refusal(401, "No credential was sent.", { code: "no_credential" });
  if (worn.includes(refusedCredential)) {
    throw new Refusal(401, "The credential is not valid.", { code: "bad_credential" });
  }
}

/** The parts of a credential; none when it is not there or not in this form. */
function wornAs(form: CredentialForm, { headers, query }: Shown): readonly string[] {
  switch (form.kind) {
    case "header": {
      const value = headers[form.name];
      const text = typeof value === "string" ? value : "";
      const isPrefixed = text.toLowerCase().startsWith(form.prefix.toLowerCase());
      return partsOf(isPrefixed ? [text.slice(form.prefix.length).trim()] : []);
    }
    case "query":
      return partsOf([query.get(form.name) ?? ""]);
    case "basic": {
      const [, encoded = ""] = /^Basic +(\S+)$/i.exec(headers.authorization ?? "") ?? [];
      const text = Buffer.from(encoded, "base64").toString();
      const colon = text.indexOf(":");
      return colon === -1 ? [] : [text.slice(0, colon), text.slice(colon + 1)];
    }
    case "sigv4":
      return signatureParts(headers, form.service);
  }
}

function partsOf(parts: readonly string[]): readonly string[] {
  return parts.every((part) => part !== "") ? parts : [];
}

const signature =
  /^AWS4-HMAC-SHA256 +Credential=([^/,\s]+)\/(\d{8})\/[a-z0-9-]+\/([a-z0-9]+)\/aws4_request, *SignedHeaders=[^,\s]*host[^,\s]*, *Signature=[0-9a-f]{64}$/;

function signatureParts(headers: IncomingHttpHeaders, service: string): readonly string[] {
  const [, id = "", day, named] = signature.exec(headers.authorization ?? "") ?? [];
  const [, dated] = /^(\d{8})T\d{6}Z$/.exec(String(headers["x-amz-date"])) ?? [];
  return named === service && dated === day ? [id] : [];
}
