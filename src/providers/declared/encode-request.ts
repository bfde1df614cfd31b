import type { EndpointPolling, EndpointRequest } from "../../core/endpoint.ts";
import { isJsonObject } from "../../core/json-object.ts";
import { compileAddressPath } from "./address-path.ts";
import { compileExpression, placeOf } from "./expression.ts";
import type { CompiledExpression, Whereabouts } from "./expression.ts";
import { compileQuery, flatForm } from "./flat-form.ts";
import { hasValue, jsonText } from "./json-values.ts";
import { Upload } from "./marks.ts";
import type { UploadedFile } from "./marks.ts";
import { mediaTypeOf, multipartOf } from "./multipart.ts";
import type { Scope } from "./place.ts";
import { compileHeaders } from "./request-headers.ts";
import type { RunAsk } from "./run-wire.ts";
import { tooLong, unsendable } from "./unsendable.ts";

type Webhook = EndpointPolling["webhook"];
type Encoded = { readonly contentType: string; readonly bytes: Buffer };

/** In characters. Servers take heads of 8 to 32 KB, and break off or answer in their own ways to longer ones. */
const longestAddress = 16_000;

/** The submission. What it returns throws `Problem` for values that cannot be sent; equal scopes give equal bytes. */
export function compileRequest(
  request: EndpointRequest,
  webhook: Webhook,
  where: Whereabouts,
): (scope: Scope, webhookUrl: string | undefined) => RunAsk {
  checkEncoding(request, webhook, where);
  const at = (member: string): Whereabouts => ({ ...where, path: `${where.path}.${member}` });
  const target = compileTarget(request, at);
  const headers = compileHeaders(request.headers, at("headers"));
  const marks = request.encoding === "multipart" || request.encoding === "raw" ? "uploads" : "none";
  const body = compileExpression(request.body, { ...at("body"), marks });
  return (scope, webhookUrl) => {
    const called = webhookUrl === undefined ? undefined : webhook;
    const hook = called === undefined ? {} : { [called.parameter]: webhookUrl };
    const isInQuery = called?.in === "query";
    const path = target(scope, isInQuery ? (flatForm(hook, "repeated") ?? "") : "");
    const encoded = encodedBody(request.encoding, body, { scope, hook: isInQuery ? {} : hook });
    return {
      method: request.method,
      target: { path },
      headers: {
        ...headers(scope),
        ...(encoded === undefined ? {} : { "content-type": encoded.contentType }),
      },
      body: encoded?.bytes,
    };
  };
}

/** Path and query, and what else the query has. */
function compileTarget(
  { path, query }: EndpointRequest,
  at: (member: string) => Whereabouts,
): (scope: Scope, more: string) => string {
  const [pathPlace, queryPlace] = [placeOf(at("path")), placeOf(at("query"))];
  const address = compileAddressPath(path, pathPlace);
  const parameters = compileQuery(query, queryPlace);
  return (scope, more) => {
    const written = address(scope);
    if ("unfit" in written) throw unsendable([written.unfit], "the path");
    const given = parameters(scope);
    if (given === undefined) throw unsendable(queryPlace.reads, "the query");
    const asked = [given, more].filter(Boolean).join("&");
    const target = asked === "" ? written.path : `${written.path}?${asked}`;
    if (target.length > longestAddress) throw tooLong([...pathPlace.reads, ...queryPlace.reads], scope);
    return target;
  };
}

function checkEncoding(
  { encoding, method, body }: EndpointRequest,
  webhook: Webhook,
  where: Whereabouts,
): void {
  const fault = (message: string): void => {
    where.faults.push({ path: `${where.path}.encoding`, message });
  };
  if (encoding === "none" && body !== null) fault("a request without encoding has no body");
  if (encoding === "none" && webhook?.in === "body") fault("a webhook's address needs a body or a query");
  if (encoding !== "none" && body !== null && method === "GET") fault("a GET has no body");
}

type Filling = { readonly scope: Scope; readonly hook: Readonly<Record<string, unknown>> };

function encodedBody(
  encoding: EndpointRequest["encoding"],
  body: CompiledExpression,
  { scope, hook }: Filling,
): Encoded | undefined {
  const value = withMembers(body.evaluate(scope), hook);
  if (!hasValue(value) || encoding === "none") return undefined;
  const encoded = encodedAs(encoding, value);
  if (encoded === undefined) throw unsendable(body.reads, "the body");
  return encoded;
}

/** The members go into an object, or make one where there is nothing. */
function withMembers(body: unknown, added: Readonly<Record<string, unknown>>): unknown {
  if (Object.keys(added).length === 0) return body;
  const members = isJsonObject(body) ? Object.entries(body) : [];
  return !hasValue(body) || isJsonObject(body)
    ? Object.fromEntries([...members, ...Object.entries(added)])
    : body;
}

function encodedAs(encoding: "json" | "form" | "multipart" | "raw", value: unknown): Encoded | undefined {
  if (encoding === "raw" && value instanceof Upload) return rawOf(value.file);
  if (encoding === "raw") return withType("application/json", jsonText(value));
  if (encoding === "json") return withType("application/json", jsonText(value));
  if (!isJsonObject(value)) return undefined;
  if (encoding === "multipart") return multipartOf(value);
  return withType("application/x-www-form-urlencoded", flatForm(value, "numbered"));
}

function rawOf({ bytes, mime }: UploadedFile): Encoded {
  return { contentType: mediaTypeOf(mime), bytes };
}

function withType(contentType: string, text: string | undefined): Encoded | undefined {
  return text === undefined ? undefined : { contentType, bytes: Buffer.from(text) };
}
