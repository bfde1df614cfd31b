import { isJsonObject } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";
import type { UpstreamFault, UpstreamHeaders } from "../wire.ts";
import { foreignText, shapeOf } from "../foreign-text.ts";
import { saysRefusedContent } from "../refused-content.ts";
import { openaiRequestMembers } from "./request-members.ts";
import { retryAfterSeconds } from "../retry-after.ts";
import { saysTooLong } from "../too-long.ts";

type Refusal = { readonly status: number; readonly error: JsonObject };

/** Reads an answer whose status is not 2xx, in OpenAI's form, its relatives' or none. */
export function openaiFault(status: number, headers: UpstreamHeaders, bytes: Buffer): UpstreamFault {
  const text = bytes.toString("utf8", 0, 64 * 1024);
  const error = errorIn(parsed(text)) ?? {};
  const kind = kindOf({ status, error });
  const param = kind === "rejected" ? knownParam(error["param"]) : undefined;
  const wait = retryAfterSeconds(headers, error["details"]);
  return {
    kind,
    ...(kind === "rejected" ? reasonOf(error) : {}),
    ...(param === undefined ? {} : { param }),
    ...(wait === undefined ? {} : { retryAfterSeconds: wait }),
    detail: foreignText(`${status} ${codeOf(error)} ${messagesOf(error).join(" ") || shapeOf(text)}`),
  };
}

/** An error that was told in a 2xx answer or in a stream. */
export function faultOfError(error: unknown): UpstreamFault {
  const told = isJsonObject(error) ? error : { message: textOf(error) };
  const wait = retryAfterSeconds({}, told["details"]);
  const kind = kindOf({ status: statusTold(told), error: told });
  const param = kind === "rejected" ? knownParam(told["param"]) : undefined;
  return {
    kind,
    ...(kind === "rejected" ? reasonOf(told) : {}),
    ...(param === undefined ? {} : { param }),
    ...(wait === undefined ? {} : { retryAfterSeconds: wait }),
    detail: foreignText(`error in the answer: ${codeOf(told)} ${messagesOf(told).join(" ")}`),
  };
}

/** The error object of an answer. Gemini's compatible endpoint wraps it in an array. */
export function errorIn(answer: unknown): JsonObject | undefined {
  const told: unknown = Array.isArray(answer) ? answer[0] : answer;
  if (!isJsonObject(told)) return undefined;
  const error = told["error"] ?? undefined;
  if (isJsonObject(error)) return error;
  if (error !== undefined) return { message: textOf(error), code: told["code"], param: told["param"] };
  // vLLM and Mistral tell the error without a member around it.
  return "message" in told && !("choices" in told) ? told : undefined;
}

/**
 * Some come with 400: DashScope's `Arrearage` (https://help.aliyun.com/en/model-studio/error-code), OpenAI's
 * `billing_hard_limit_reached` (https://github.com/dfinke/PowerShellAI/issues/127).
 */
const moneyCode =
  /insufficient_(?:quota|balance|funds|credit)|credit|billing|spend|payment_required|arrearage/i;
/**
 * Gemini's word for a project without billing, or a server of ours in a country that it does not serve. What is wrong with
 * a request is INVALID_ARGUMENT. https://ai.google.dev/gemini-api/docs/troubleshooting
 */
const precondition = "FAILED_PRECONDITION";
const preconditionCode = new RegExp(`^${precondition}$`);
/** The last is Groq's: https://console.groq.com/docs/deprecations */
const modelCode =
  /^(?:model_not_found|invalid_model|unknown_model|model_not_supported|model_decommissioned)$/i;
/**
 * DeepSeek and OpenRouter have no code for a model that they do not serve: https://github.com/langbot-app/LangBot/issues/1643
 * https://github.com/maxnowack/anthropic-proxy/issues/4 https://github.com/Alishahryar1/free-claude-code/issues/166
 */
const modelMessage = /^(?:model not exist\b|[\w./:-]+ is not a valid model id\b|no endpoints found for\b)/i;
const credentialCode = /^(?:invalid_api_key|API_KEY_INVALID|authentication_error)$/;
/** Gemini and xAI tell a wrong key as 400. The start is theirs; later words may be the customer's. */
const credentialMessage = /^(?:incorrect api key|api key (?:not valid|expired|not found))/i;
/**
 * What OpenAI withholds from accounts that it has not verified, and OpenRouter from those whose settings leave no provider:
 * https://github.com/continuedev/continue/issues/8209 https://github.com/truefoundry/models/pull/826
 */
const accountMessage =
  /^(?:your organization must be verified\b|no endpoints (?:found|available) matching your\b)/i;

/** 498 is Groq's word for no capacity: https://console.groq.com/docs/errors */
const overloadedStatuses: readonly number[] = [408, 498, 503, 529];
const rejectedStatuses: readonly number[] = [400, 404, 409, 413, 422];

function kindOf({ status, error }: Refusal): UpstreamFault["kind"] {
  const codes = [error["code"], error["type"], error["status"]].map(textOf);
  if (overloadedStatuses.includes(status)) return "overloaded";
  if (rejectedStatuses.includes(status)) return kindOfRejection({ status, error }, codes);
  if (status === 401 || status === 402) return "account";
  if (status === 403) return isContent(error) ? "rejected" : "account";
  if (status !== 429) return "broken";
  return codes.some((code) => moneyCode.test(code)) || isDailyQuota(error) ? "account" : "overloaded";
}

function kindOfRejection({ status, error }: Refusal, codes: readonly string[]): UpstreamFault["kind"] {
  const messages = messagesOf(error);
  const saysOneOf = (ofCode: readonly RegExp[], ofMessage: readonly RegExp[]): boolean =>
    codes.some((code) => ofCode.some((words) => words.test(code))) ||
    messages.some((message) => ofMessage.some((words) => words.test(message)));
  if (saysOneOf([credentialCode, moneyCode, preconditionCode], [credentialMessage, accountMessage]))
    return "account";
  if (detailReasons(error).includes("API_KEY_INVALID")) return "account";
  if (saysOneOf([modelCode], [modelMessage]) || error["param"] === "model") return "broken";
  // Which model and path are called is our catalog's doing: a 404 that tells nothing else is our fault.
  const [message = ""] = messages;
  if (status === 404 && (message === "" || /\bmodels?\b/i.test(message))) return "broken";
  return "rejected";
}

/** The error itself, and another provider's that OpenRouter passes on as text. */
function errorsIn(error: JsonObject): readonly JsonObject[] {
  const metadata = error["metadata"];
  const raw = isJsonObject(metadata) ? errorIn(parsed(textOf(metadata["raw"]))) : undefined;
  return raw === undefined ? [error] : [error, raw];
}

function messagesOf(error: JsonObject): readonly string[] {
  return errorsIn(error).map(({ message }) => textOf(message));
}

function isTooLong(error: JsonObject): boolean {
  return errorsIn(error).some(({ code, type, message }) =>
    saysTooLong({ codes: [code, type].map(textOf), message: textOf(message) }),
  );
}

/** What may be told of it beyond that it was refused. */
function reasonOf(error: JsonObject): Pick<UpstreamFault, "isTooLong" | "isContent"> {
  if (isTooLong(error)) return { isTooLong: true };
  return isContent(error) ? { isContent: true } : {};
}

function isContent(error: JsonObject): boolean {
  return isModerated(error) || errorsIn(error).some(forbidsContent);
}

function forbidsContent({ code, type, message, innererror: inner }: JsonObject): boolean {
  const codes = [code, type, isJsonObject(inner) ? inner["code"] : undefined].map(textOf);
  return saysRefusedContent({ codes, message: textOf(message) });
}

/** OpenRouter refuses flagged input with 403: https://openrouter.ai/docs/api-reference/errors */
function isModerated(error: JsonObject): boolean {
  const metadata = error["metadata"];
  return isJsonObject(metadata) && Array.isArray(metadata["reasons"]);
}

function detailsOf(error: JsonObject): readonly JsonObject[] {
  return Array.isArray(error["details"]) ? error["details"].filter(isJsonObject) : [];
}

function detailReasons(error: JsonObject): readonly string[] {
  return detailsOf(error).map((detail) => textOf(detail["reason"]));
}

/** Gemini: a quota per day does not come back within a retry. https://ai.google.dev/gemini-api/docs/rate-limits */
function isDailyQuota(error: JsonObject): boolean {
  const violations = detailsOf(error).flatMap((detail) => detail["violations"] ?? []);
  return violations.some((violation) => {
    return isJsonObject(violation) && textOf(violation["quotaId"]).includes("PerDay");
  });
}

const statusByType: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  permission_error: 403,
  rate_limit_error: 429,
  rate_limit_exceeded: 429,
  insufficient_quota: 429,
  overloaded_error: 503,
  INVALID_ARGUMENT: 400,
  [precondition]: 400,
  Arrearage: 402,
  RESOURCE_EXHAUSTED: 429,
  UNAVAILABLE: 503,
};

/** The status that an error within an answer stands for; 500 when it tells none. */
function statusTold(error: JsonObject): number {
  for (const told of [error["code"], error["status"]]) {
    const status = Number(told);
    if (Number.isInteger(status) && status >= 400 && status <= 599) return status;
  }
  for (const told of [error["code"], error["type"], error["status"]]) {
    const name = textOf(told);
    if (Object.hasOwn(statusByType, name)) return statusByType[name] ?? 500;
  }
  return isContent(error) ? 400 : 500;
}

/** OpenAI writes both `messages[1].role` and `messages.[1].role`; told on in the first form. */
function knownParam(told: unknown): string | undefined {
  const param = textOf(told).replaceAll(".[", "[");
  if (param.length > 100 || !/^\w+(?:\.\w+|\[\d+\])*$/.test(param)) return undefined;
  const member = /^\w+/.exec(param)?.[0] ?? "";
  return openaiRequestMembers.has(member) ? param : undefined;
}

function codeOf(error: JsonObject): string {
  return textOf(error["code"]) || textOf(error["status"]) || textOf(error["type"]);
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  return typeof value === "number" ? String(value) : "";
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
