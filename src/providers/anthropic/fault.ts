import { isJsonObject } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";
import { foreignText, shapeOf } from "../foreign-text.ts";
import { retryAfterSeconds } from "../retry-after.ts";
import { saysRefusedContent } from "../refused-content.ts";
import { saysTooLong } from "../too-long.ts";
import type { UpstreamFault, UpstreamHeaders } from "../wire.ts";
import { parseObject, textOf } from "./exact-json.ts";

/* Statuses and types: https://platform.claude.com/docs/en/api/errors */

type Kind = UpstreamFault["kind"];

const kindByStatus: ReadonlyMap<number, Kind> = new Map([
  ...([400, 413, 422] as const).map((status) => [status, "rejected"] as const),
  ...([401, 402, 403] as const).map((status) => [status, "account"] as const),
  ...([429, 503, 529] as const).map((status) => [status, "overloaded"] as const),
]);

const kindByType: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ["authentication_error", "account"],
  ["billing_error", "account"],
  ["permission_error", "account"],
  ["overloaded_error", "overloaded"],
  ["rate_limit_error", "overloaded"],
  ["invalid_request_error", "rejected"],
  ["request_too_large", "rejected"],
]);

/** Codes that say our account there is at its end, whatever the status: a retry does not help. */
const accountCode = /spend_limit_reached$|billing_unavailable$|^organization_on_hold$/;

/**
 * What comes as a plain 400 without a code: an empty balance, the limit that the operator set there, and a closed account.
 * https://github.com/anthropics/claude-code/issues/2127 https://github.com/anthropics/claude-code/issues/19028
 */
const accountMessage =
  /credit balance is too low|^you have reached your specified api usage limits|^this organization has been disabled/i;

/** Anthropic's members that go by the same or another name in OpenAI's request. */
const params: ReadonlyMap<string, string> = new Map([
  ...["messages", "max_tokens", "temperature", "top_p", "tools", "tool_choice", "model"].map(
    (name) => [name, name] as const,
  ),
  ["system", "messages"],
  ["stop_sequences", "stop"],
  ["output_config", "response_format"],
]);

/** An answer whose status is not 2xx. Never throws. */
export function faultOf(status: number, headers: UpstreamHeaders, bytes: Buffer): UpstreamFault {
  const text = bytes.subarray(0, 64 * 1024).toString("utf8");
  const error = parseObject(text)?.["error"];
  const told = faultOfError(error, status);
  const fault = isJsonObject(error) ? told : { ...told, detail: `${status} ${shapeOf(text)}` };
  if (fault.kind !== "overloaded") return fault;
  return { ...fault, retryAfterSeconds: retryAfterSeconds(headers, undefined) };
}

/** The `error` object of an answer or of an event in a stream, where there is no status. */
export function faultOfError(error: unknown, status?: number): UpstreamFault {
  const object = isJsonObject(error) ? error : {};
  const type = textOf(object["type"]) ?? "";
  const message = textOf(object["message"]) ?? "";
  const kind = kindOf(status, type, { message, code: codeOf(object) });
  const told = [status, type, codeOf(object), message].filter((part) => part !== undefined && part !== "");
  const detail = foreignText(told.join(" "));
  if (kind !== "rejected") return { kind, detail };
  if (saysTooLong({ codes: [], message })) return { kind, isTooLong: true, detail };
  if (saysRefusedContent({ codes: [], message })) return { kind, isContent: true, detail };
  const param = paramOf(message);
  return param === undefined ? { kind, detail } : { kind, param, detail };
}

export function unreadable(detail: string): UpstreamFault {
  return { kind: "unreadable", detail: foreignText(detail) };
}

type Told = { readonly message: string; readonly code: string | undefined };

function kindOf(status: number | undefined, type: string, { message, code }: Told): Kind {
  if (accountCode.test(code ?? "") || accountMessage.test(message)) return "account";
  if (status === undefined) return kindByType.get(type) ?? "broken";
  const byStatus = kindByStatus.get(status);
  if (byStatus !== undefined) return type === "overloaded_error" ? "overloaded" : byStatus;
  return status >= 500 && type === "overloaded_error" ? "overloaded" : "broken";
}

function codeOf(error: JsonObject): string | undefined {
  const details = error["details"];
  const code = isJsonObject(details) ? textOf(details["error_code"]) : undefined;
  return code ?? textOf(error["error_code"]);
}

/** Messages begin with the member they are about: `messages.0.content: …`. Positions differ there, so they are cut. */
function paramOf(message: string): string | undefined {
  return params.get(/^([a-z_]+)\b/.exec(message)?.[1] ?? "");
}
