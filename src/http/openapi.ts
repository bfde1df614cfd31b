import { z } from "zod";
import { problems } from "../core/problems.ts";
import type { Door, OtherAnswer, ParameterForms } from "./door.ts";
import { takesIdempotencyKey } from "./idempotency.ts";

/** The OpenAPI 3.1 document of a list of doors. */
export function openapiOf(doors: readonly Door[], version: string): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const door of doors) {
    const path = door.path.replaceAll("...}", "}");
    paths[path] = { ...paths[path], [door.method.toLowerCase()]: operationOf(door) };
  }
  return {
    openapi: "3.1.0",
    info: { title: "SkillBoss API", version, description: "One key, one balance, every AI service." },
    servers: [{ url: "/" }],
    components: {
      securitySchemes: {
        key: { type: "http", scheme: "bearer", description: "A customer's key: sk-… or sk-test-…" },
        operator: { type: "http", scheme: "bearer", description: "The operator token." },
      },
      schemas: { Error: errorSchema() },
    },
    paths,
  };
}

/** `GET /openapi.json`, made from all doors, itself included, when it is first asked for: anybody may ask. */
export function openapiDoor(doors: () => readonly Door[], version: string): Door {
  let document: Buffer | undefined;
  return {
    method: "GET",
    path: "/openapi.json",
    access: "open",
    summary: "This document.",
    answers: "OpenAPI 3.1.",
    answerForm: z.looseObject({ openapi: z.literal("3.1.0"), paths: z.record(z.string(), z.unknown()) }),
    answer() {
      document ??= Buffer.from(JSON.stringify(openapiOf(doors(), version)));
      return { status: 200, json: [document] };
    },
  };
}

function operationOf(door: Door): Record<string, unknown> {
  return {
    summary: door.summary,
    operationId: `${door.method.toLowerCase()}${door.path.replaceAll(/[^a-zA-Z0-9]+/g, "_").replace(/_$/, "")}`,
    ...parametersOf(door),
    ...requestBodyOf(door),
    responses: {
      ...answersOf(door),
      default: { description: "What went wrong.", content: json({ $ref: "#/components/schemas/Error" }) },
    },
    security: securityOf(door),
  };
}

function requestBodyOf(door: Door): Record<string, unknown> {
  const read = door.body === undefined ? [] : [{ mediaType: "application/json", form: door.body }];
  const bodies = "takes" in door ? door.takes : read;
  if (bodies.length === 0) return {};
  const content = bodies.map(({ mediaType, form }) => [
    mediaType,
    { schema: z.toJSONSchema(form, { io: "input", unrepresentable: "any" }) },
  ]);
  return { requestBody: { required: true, content: Object.fromEntries(content) } };
}

type Response = { readonly description: string; readonly content?: Record<string, unknown> };

function answersOf(door: Door): Record<string, Response> {
  const usual = statusOf(door);
  const responses: Record<string, Response> = { [usual]: { description: door.answers } };
  for (const { status = usual, answers, mediaType = "application/json", form } of allAnswers(door)) {
    const { description = answers ?? "", content } = responses[status] ?? {};
    const told = form === undefined ? {} : { [mediaType]: { schema: z.toJSONSchema(form) } };
    responses[status] = { description, ...(form === undefined ? {} : { content: { ...content, ...told } }) };
  }
  return responses;
}

/** One whose form is written down nowhere is JSON of any form. */
function allAnswers(door: Door): readonly OtherAnswer[] {
  const { answerForm, eventForm, otherAnswers = [] } = door;
  const usual = [
    ...(answerForm === undefined ? [] : [{ form: answerForm }]),
    ...(eventForm === undefined ? [] : [{ mediaType: "text/event-stream", form: eventForm }]),
    ...otherAnswers.filter(({ status }) => status === undefined),
  ];
  const isUnknown = usual.length === 0 && statusOf(door) !== "204";
  const others = otherAnswers.filter(({ status }) => status !== undefined);
  return [...(isUnknown ? [{ form: z.unknown() }] : usual), ...others];
}

/** In the words of OpenAPI the name of a parameter's place is `in`. */
function parametersOf(door: Door): Record<string, unknown> {
  const names = [...door.path.matchAll(/\{(\w+)(?:\.\.\.)?\}/g)].map((match) => match[1] ?? "");
  const schema = { type: "string" };
  const headers = takesIdempotencyKey(door)
    ? { ...door.headers, "Idempotency-Key": idempotencyKey }
    : door.headers;
  const parameters = [
    ...names.map((name) => ({ name, in: "path", required: true, schema })),
    ...optional("query", door.query),
    ...optional("header", headers),
  ];
  return parameters.length === 0 ? {} : { parameters };
}

const idempotencyKey = z
  .string()
  .min(1)
  .max(255)
  .describe("Asking again with the same one does nothing again and charges nothing again.");

function optional(place: "query" | "header", forms: ParameterForms = {}): readonly object[] {
  return Object.entries(forms).map(([name, form]) => ({
    name,
    in: place,
    required: false,
    schema: z.toJSONSchema(form),
  }));
}

function statusOf(door: Door): string {
  if (door.status !== undefined) return String(door.status);
  if (door.method === "DELETE") return "204";
  const makes = door.method === "POST" && door.path.startsWith("/admin/") && door.body !== undefined;
  return makes ? "201" : "200";
}

function securityOf(door: Door): readonly Record<string, readonly string[]>[] {
  switch (door.access) {
    case "open":
      return [];
    case "caller":
      return [{ key: [] }];
    case "operator":
      return [{ operator: [] }];
  }
}

function json(schema: unknown): Record<string, unknown> {
  return { "application/json": { schema } };
}

function errorSchema(): Record<string, unknown> {
  return {
    type: "object",
    required: ["error"],
    properties: {
      error: {
        type: "object",
        required: ["message", "type", "code", "param", "request_id"],
        properties: {
          message: { type: "string" },
          type: {
            type: "string",
            enum: [...new Set(Object.values(problems).map((problem) => problem.type))],
          },
          code: { type: "string", enum: Object.keys(problems) },
          param: { type: ["string", "null"] },
          request_id: { type: "string" },
        },
      },
    },
  };
}
