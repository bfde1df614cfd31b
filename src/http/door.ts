import type { IncomingMessage, ServerResponse } from "node:http";
import type { z } from "zod";
import type { Caller } from "../core/caller.ts";
import type { ContentDigest } from "./content-digest.ts";
import type { FormBody, FormLimits } from "./form-body.ts";

/** Who may come in: anybody, a customer's key, or the operator's token. Nothing is open that does not say so. */
export type Access = "open" | "caller" | "operator";

export type DoorHeaders = Readonly<Record<string, string>>;

/** A JSON answer: the pieces of `json` as they are, else `body`, which undefined is an empty one. */
export type DoorAnswer = {
  readonly status: number;
  readonly body?: unknown;
  readonly json?: readonly Buffer[];
  readonly headers?: DoorHeaders;
};

/** The parameters behind the `?`, to be read only: requests without any share theirs. */
export type Query = Omit<URLSearchParams, "append" | "delete" | "set" | "sort">;

/** What a door sees of a request. */
export type Visit<Body> = {
  readonly requestId: string;
  /** Values of the `{name}` parts of the path, percent-decoded. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly headers: IncomingMessage["headers"];
  /** The address under which the client reached us. */
  readonly origin: string;
  readonly body: Body;
  /** The body as it came; empty where the door takes none, or a form. */
  readonly rawBody: Buffer;
  /** Of a request with an Idempotency-Key: to be told what a form or an upload brings. */
  readonly digest?: ContentDigest | undefined;
  /** The caller; for doors with access `caller` only, throws elsewhere. */
  caller(): Caller;
};

export type ParameterForms = Readonly<Record<string, z.ZodType>>;

type Common = {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** `{name}` matches one segment, `{name...}` the rest of the path. */
  readonly path: string;
  readonly access: Access;
  /** The parameters that it reads behind the `?`, with their forms. A client made from the document can send no others. */
  readonly query?: ParameterForms;
  /** The headers that it heeds, `Idempotency-Key` aside. */
  readonly headers?: ParameterForms;
  readonly summary: string;
  /** What the answer looks like, for the OpenAPI document. */
  readonly answers: string;
  /** Its form, and that of one event where it is streamed; undefined: not written down. */
  readonly answerForm?: z.ZodType;
  readonly eventForm?: z.ZodType;
  /** Its status, where the method does not say it. */
  readonly status?: 200 | 201 | 202 | 204;
  /** What it answers besides. A client made from the document takes for an error what stands nowhere in it. */
  readonly otherAnswers?: readonly OtherAnswer[];
};

/** One more answer of a door, for the OpenAPI document. */
export type OtherAnswer = {
  /** The usual one where it says none. */
  readonly status?: number;
  /** What it looks like; needed with a status of its own. */
  readonly answers?: string;
  /** JSON where it says none. */
  readonly mediaType?: string;
  /** Undefined: without a body. */
  readonly form?: z.ZodType;
};

/** One public door as data. The router and the OpenAPI document are made from the list of them. */
export type Door = Common & { readonly body?: z.ZodType } & (JsonDoor | StreamDoor | FormDoor | UploadDoor);

export type JsonDoor = { readonly answer: (visit: Visit<unknown>) => Promise<DoorAnswer> | DoorAnswer };

type Attend = (
  visit: Visit<unknown>,
  request: IncomingMessage,
  response: ServerResponse,
) => Promise<DoorAnswer | void>;

/** A door that writes its answer itself, piece by piece. */
export type StreamDoor = { readonly attend: Attend };

/** A body that a door reads itself, for the OpenAPI document. */
export type TakenBody = { readonly mediaType: string; readonly form: z.ZodType };

/** A door whose body is a form, see `withForm`. */
export type FormDoor = {
  readonly form: FormLimits;
  readonly takes: readonly TakenBody[];
  readonly attend: Attend;
};

/** A door that reads its body itself, piece by piece, because it may be larger than what fits into memory. */
export type UploadDoor = {
  readonly takes: readonly TakenBody[];
  /** Tells the visit's digest, where it has one, what it read. */
  readonly attend: Attend;
  /** Reads an upload to its end, as `attend` would, and does nothing but tell the visit's digest. */
  readonly readOver: (
    visit: Visit<unknown>,
    request: IncomingMessage,
    response: ServerResponse,
  ) => Promise<void>;
};

/** Joins a body's schema to the function that takes it, so that both agree on its type. */
export function withBody<Schema extends z.ZodType>(
  body: Schema,
  answer: (visit: Visit<z.output<Schema>>) => Promise<DoorAnswer> | DoorAnswer,
): { readonly body: z.ZodType; readonly answer: JsonDoor["answer"] } {
  // The server hands a door the output of its own schema and nothing else.
  return { body, answer: (visit) => answer(visit as Visit<z.output<Schema>>) };
}

/** What the form of a door has in it, and how large it may be. */
export type TakenForm = { readonly limits: FormLimits; readonly fields: z.ZodType };

/** Joins the limits of a form to the function that takes it. */
export function withForm(
  { limits, fields }: TakenForm,
  attend: (visit: Visit<FormBody>, response: ServerResponse) => Promise<void>,
): FormDoor {
  // The server hands such a door the form that it read within these limits, and nothing else.
  return {
    form: limits,
    takes: [{ mediaType: "multipart/form-data", form: fields }],
    attend: (visit, _request, response) => attend(visit as Visit<FormBody>, response),
  };
}
