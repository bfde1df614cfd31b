import { isJsonObject } from "../core/json-object.ts";
import type { JsonObject } from "../core/json-object.ts";
import { ClientError, ServerUnreachable } from "./errors.ts";
import type { ClientCode } from "./errors.ts";

export type LinkSettings = {
  /** Address of the server, with or without a path before `/v1`. */
  readonly baseUrl: string;
  /** A customer's key, or the operator token. */
  readonly token: string | undefined;
  readonly signal: AbortSignal | undefined;
};

export type Question = {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly path: string;
  /** Undefined values are left out. */
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

/** The connection to one server. */
export type Link = {
  /** The body of a 2xx answer that has the members which make it the answer wanted; throws otherwise. */
  ask<Answer extends object>(
    question: Question,
    members: readonly (keyof Answer & string)[],
  ): Promise<Answer>;
  /** For answers without a body. */
  tell(question: Question): Promise<void>;
  /** A 2xx answer whose body is not read yet. */
  open(question: Question): Promise<Response>;
  /** A file from an address that an answer named. The key does not go there. */
  download(url: string): Promise<Uint8Array>;
};

/** The only place of ours that uses fetch: it runs in Node and in browsers alike. */
export function linkTo(settings: LinkSettings): Link {
  const open = async (question: Question): Promise<Response> => {
    const response = await send(settings, question);
    if (!response.ok) throw await refusalOf(response, settings);
    return response;
  };
  return {
    open,
    async ask<Answer extends object>(question: Question, members: readonly (keyof Answer & string)[]) {
      const response = await open(question);
      const body = parsed(await textOf(response, settings));
      if (!isAnswer<Answer>(body, members)) throw unreadable(response, settings);
      return body;
    },
    download: (url) => download(url, settings.signal),
    async tell(question) {
      await textOf(await open(question), settings);
    },
  };
}

/** A part of a path. What a URL would take for a step up or in place names nothing, and is not asked for. */
export function segment(text: string): string {
  if (text !== "" && text !== "." && text !== "..") return encodeURIComponent(text);
  const error = { message: `There is nothing named ${JSON.stringify(text)}.`, code: "not_found" };
  throw new ClientError({ status: 404, error });
}

/** The failure of an answer that began well and then broke off. */
export function broken(response: Response, url: string, cause?: unknown): ClientError {
  return clientSide("answer_broken", `The answer of ${url} broke off before its end.`, { response, cause });
}

async function send({ baseUrl, token, signal }: LinkSettings, question: Question): Promise<Response> {
  const headers = new Headers(question.headers);
  if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
  if (question.body !== undefined) headers.set("content-type", "application/json");
  try {
    return await fetch(addressOf(baseUrl, question), {
      method: question.method,
      headers,
      // A redirected POST would come back as a GET: the address has to be right.
      redirect: "manual",
      ...(question.body === undefined ? {} : { body: JSON.stringify(question.body) }),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    signal?.throwIfAborted();
    throw new ServerUnreachable(baseUrl, error);
  }
}

async function download(url: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  try {
    const response = await fetch(url, signal === undefined ? {} : { signal });
    if (!response.ok) throw broken(response, url);
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    signal?.throwIfAborted();
    throw error instanceof ClientError ? error : new ServerUnreachable(url, error);
  }
}

function addressOf(baseUrl: string, { path, query }: Question): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  const asked = parameters.toString();
  return `${baseUrl.replace(/\/+$/, "")}${path}${asked === "" ? "" : `?${asked}`}`;
}

async function textOf(response: Response, { baseUrl, signal }: LinkSettings): Promise<string> {
  try {
    return await response.text();
  } catch (error) {
    signal?.throwIfAborted();
    throw broken(response, baseUrl, error);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Our own server is trusted to give each member its type; that the answer is that server's at all is checked. */
function isAnswer<Answer extends object>(
  body: unknown,
  members: readonly (keyof Answer & string)[],
): body is Answer {
  return isJsonObject(body) && members.every((member) => member in body);
}

async function refusalOf(response: Response, settings: LinkSettings): Promise<ClientError> {
  const body = parsed(await textOf(response, settings));
  const error = isJsonObject(body) ? body["error"] : undefined;
  if (!isJsonObject(error)) return unreadable(response, settings);
  return new ClientError({ status: response.status, error, ...headersOf(response) });
}

function unreadable(response: Response, { baseUrl }: LinkSettings): ClientError {
  const message = `What answers at ${baseUrl} (with status ${response.status}) is not SkillBoss's API. Check the address.`;
  return clientSide("unreadable_answer", message, { response });
}

type Origin = { readonly response: Response; readonly cause?: unknown };

function clientSide(code: ClientCode, message: string, { response, cause }: Origin): ClientError {
  const error: JsonObject = { message, code };
  return new ClientError({ status: response.status, error, cause, ...headersOf(response) });
}

function headersOf({ headers }: Response): { requestId?: string; retryAfterSeconds?: number } {
  const requestId = headers.get("x-request-id");
  // Waiting changes nothing about a refusal that is final, whatever the status has to say of it.
  const isFinal = headers.get("x-should-retry") === "false";
  const retryAfter = isFinal ? Number.NaN : Number(headers.get("retry-after") ?? Number.NaN);
  return {
    ...(requestId === null ? {} : { requestId }),
    ...(Number.isFinite(retryAfter) ? { retryAfterSeconds: retryAfter } : {}),
  };
}
