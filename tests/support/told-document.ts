import assert from "node:assert/strict";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

type Content = Readonly<Record<string, { readonly schema: object }>>;
export type ToldParameter = {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly schema: {
    readonly type?: string;
    readonly enum?: readonly string[];
    readonly minimum?: number;
    readonly maximum?: number;
  };
};
type Told = {
  readonly parameters?: readonly ToldParameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
};

/** The OpenAPI document of a gateway, which real answers are held against. */
export class ToldDocument {
  readonly #operations: ReadonlyMap<string, Told>;
  readonly #seen = new Set<string>();

  constructor(paths: Readonly<Record<string, Readonly<Record<string, Told>>>>) {
    this.#operations = new Map(
      Object.entries(paths).flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, told]) => [`${method.toUpperCase()} ${path}`, told] as const),
      ),
    );
  }

  static async at(url: string): Promise<ToldDocument> {
    const { paths } = JSON.parse(await (await fetch(`${url}/openapi.json`)).text());
    return new ToldDocument(paths);
  }

  /** `door`: as `POST /v1/run`. Its status, media type and body have to be told; returns the body, parsed where it is JSON. */
  // The answers of the API under test: each test asserts the members it reads.
  // oxlint-disable-next-line typescript/no-explicit-any
  async check(door: string, response: Response): Promise<any> {
    const text = await response.text();
    const { status } = response;
    const answer = this.#told(door).responses[status];
    assert.ok(answer !== undefined, `${door}: ${status} is not told: ${text.slice(0, 300)}`);
    const sent = response.headers.get("content-type")?.split(";")[0] ?? "";
    if (answer.content === undefined) {
      assert.equal(text, "", `${door}: ${status} is told to have no body`);
      this.#seen.add(`${door} ${status}`);
      return undefined;
    }
    const range = Object.keys(answer.content).find((one) => isWithin(sent, one));
    assert.ok(
      range !== undefined,
      `${door}: ${status} is told as ${Object.keys(answer.content).join()}, not ${sent}`,
    );
    this.#seen.add(`${door} ${status} ${range}`);
    const { schema } = answer.content[range] ?? assert.fail();
    const bodies = bodiesOf(text, range);
    assertAre(schema, bodies, door);
    return bodies[0];
  }

  /** All of them, as `POST /v1/run`. */
  get doors(): readonly string[] {
    return [...this.#operations.keys()];
  }

  takes(door: string): boolean {
    return this.#told(door).requestBody !== undefined;
  }

  /** What it takes behind the `?`, in headers or in its path. */
  parameters(door: string, place: ToldParameter["in"]): readonly ToldParameter[] {
    return this.#told(door).parameters?.filter((parameter) => parameter.in === place) ?? [];
  }

  /** The form of a request's body. */
  // oxlint-disable-next-line typescript/no-explicit-any
  request(door: string, mediaType: string): any {
    return (
      this.#told(door).requestBody?.content[mediaType]?.schema ?? assert.fail(`${door}: no ${mediaType}`)
    );
  }

  /** Answers whose form is written down nowhere, each as `POST /v1/run 200 application/json`. */
  get formless(): readonly string[] {
    return this.#answers().flatMap(({ name, schema }) =>
      schema === undefined || Object.keys(schema).length > 1 ? [] : [name],
    );
  }

  /** Answers that no check has seen. */
  get unseen(): readonly string[] {
    return this.#answers().flatMap(({ name }) => (this.#seen.has(name) ? [] : [name]));
  }

  #answers(): readonly { readonly name: string; readonly schema?: object }[] {
    const all = [...this.#operations].flatMap(([door, { responses }]) =>
      Object.entries(responses).map(([status, { content }]) => ({
        name: `${door} ${status}`,
        status,
        content,
      })),
    );
    return all
      .filter(({ status }) => status !== "default")
      .flatMap(({ name, content }) =>
        content === undefined
          ? [{ name }]
          : Object.entries(content).map(([type, { schema }]) => ({ name: `${name} ${type}`, schema })),
      );
  }

  #told(door: string): Told {
    return this.#operations.get(door) ?? assert.fail(`${door} is not in the document`);
  }
}

/** Whether a media type is within a range such as `audio/*`. */
function isWithin(type: string, range: string): boolean {
  const [family, kind] = range.split("/");
  return type === range || (kind === "*" && (family === "*" || type.startsWith(`${family}/`)));
}

function bodiesOf(text: string, type: string): readonly unknown[] {
  if (type === "application/json") return [JSON.parse(text)];
  if (type !== "text/event-stream") return [text];
  const data = [...text.matchAll(/^data: (\{.*)$/gm)].map(([, json = ""]): unknown => JSON.parse(json));
  assert.ok(data.length > 0, `no events: ${text.slice(0, 300)}`);
  return data;
}

function assertAre(schema: object, answers: readonly unknown[], door: string): void {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  assert.ok(Object.keys(schema).length > 1, `${door}: the form is not written down`);
  const is = ajv.compile(schema);
  for (const answer of answers)
    assert.ok(is(answer), `${door}: ${JSON.stringify(is.errors)}\n${JSON.stringify(answer).slice(0, 2_000)}`);
}
