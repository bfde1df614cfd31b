import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type OpenAI from "openai";
import { z } from "zod";
import type { Customer } from "./support/gateway-api.ts";
import { startGatewayProcess } from "./support/gateway-process.ts";
import type { Gateway } from "./support/gateway.ts";
import { assertSatisfies } from "./support/satisfied-schema.ts";
import {
  allWireModels,
  anthropicWireModels,
  assertAllSettled,
  clientFor,
  collected,
  isAnthropicWire,
  joined,
  kits,
  memberOf,
  micro,
  openaiWireModels,
  seedNames,
  user,
} from "./support/sdk.ts";

/** OpenAI's own SDK, in two majors, against the gateway with a test key: the built-in emulators answer. */
let gateway: Gateway;
let customer: Customer;
before(async () => {
  gateway = await startGatewayProcess();
  customer = await gateway.customer({ mode: "test", credits: "100000.00" });
});
after(async () => {
  await assertAllSettled(gateway);
  assert.equal(await gateway.stop(), 0);
});

type Params = Partial<OpenAI.Chat.ChatCompletionCreateParamsNonStreaming>;

const picture =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

for (const [name, kit] of Object.entries(kits)) {
  describe(name, () => {
    const client = (): OpenAI => clientFor(kit, gateway, customer.key);
    const ask = (model: string, content: string, more: Params = {}) =>
      client().chat.completions.create({ model, messages: [user(content)], ...more });
    const stream = async (model: string, content: string, more: Params = {}) => {
      const { stream: _, ...params } = more;
      return collected(
        await client().chat.completions.create({
          model,
          messages: [user(content)],
          ...params,
          stream: true,
        }),
      );
    };
    const forEachModel = (models: readonly string[], check: (model: string) => Promise<void>) =>
      Promise.all(models.map(check));

    test("every name of the public contract answers, and the answer says that name", async () => {
      await forEachModel(seedNames, async (model) => {
        const answer = await ask(model, "Hello, how are you?", { max_tokens: 100 });
        assert.equal(answer.model, model);
        assert.equal(answer.object, "chat.completion");
        assert.match(answer.id, /^chatcmpl-/);
        assert.equal(answer.choices[0]?.message.role, "assistant");
        assert.ok((answer.choices[0]?.message.content ?? "").length > 0);
        assert.equal(answer.choices[0]?.finish_reason, "stop");
      });
    });

    test("an answer ends with the balance, and its headers tell the model, the cost and what was left out", async () => {
      await forEachModel(allWireModels, async (model) => {
        const asked = client().chat.completions.create({
          model,
          messages: [user("Hello!")],
          temperature: 0.3,
          seed: 7,
          logit_bias: { "1": 1 },
        });
        const { data, response } = await asked.withResponse();
        assert.equal(memberOf(data, "_balance_warning"), false);
        const remaining = memberOf(data, "_remaining_credits");
        assert.equal(typeof remaining, "number");
        assert.equal(remaining, Number(response.headers.get("x-skillboss-balance")));
        assert.match(response.headers.get("x-skillboss-model") ?? "", /^[a-z]+\/.+/);
        assert.match(response.headers.get("x-skillboss-cost") ?? "", /^0\.\d{6}$/);
        assert.match(response.headers.get("x-request-id") ?? "", /^req_/);
        const dropped = (response.headers.get("x-skillboss-dropped") ?? "").split(", ");
        assert.equal(
          dropped.includes("logit_bias"),
          !["gpt-4o-mini", "deepseek/deepseek-v3"].includes(model),
        );
        const isReasoner = ["gpt-5", "claude-opus-4-7", "claude-sonnet-5-5"].includes(model);
        assert.equal(dropped.includes("temperature"), isReasoner, `${model}: ${dropped.join()}`);
      });
    });

    test("a stream says what the whole answer says, in pieces with one id", async () => {
      await forEachModel(allWireModels, async (model) => {
        const whole = await ask(model, "Tell me about bridges");
        const chunks = await stream(model, "Tell me about bridges");
        const said = joined(chunks);
        assert.equal(said.text, whole.choices[0]?.message.content);
        assert.equal(said.finish, whole.choices[0]?.finish_reason);
        assert.ok(chunks.length > 10, "it came in pieces");
        assert.equal(new Set(chunks.map(({ id }) => id)).size, 1);
        assert.deepEqual(new Set(chunks.map((chunk) => chunk.model)), new Set([model]));
        assert.deepEqual(new Set(chunks.map((chunk) => chunk.object)), new Set(["chat.completion.chunk"]));
        assert.equal(chunks[0]?.choices[0]?.delta.role, "assistant");
      });
    });

    test("the balance rides on the last chunk, which has no choices, and usage only where it was asked for", async () => {
      await forEachModel(allWireModels, async (model) => {
        const whole = await ask(model, "Tell me about rain");
        const asked = await stream(model, "Tell me about rain", { stream_options: { include_usage: true } });
        assert.deepEqual(asked.at(-1)?.choices, []);
        assert.deepEqual(asked.at(-1)?.usage, whole.usage);
        assert.equal(memberOf(asked.at(-1), "_balance_warning"), false);
        assert.equal(typeof memberOf(asked.at(-1), "_remaining_credits"), "number");
        assert.ok(asked.slice(0, -1).every((chunk) => (chunk.usage ?? null) === null));
        const unasked = await stream(model, "Tell me about rain");
        assert.deepEqual(unasked.at(-1)?.choices, []);
        assert.equal(typeof memberOf(unasked.at(-1), "_remaining_credits"), "number");
        assert.ok(unasked.every((chunk) => (chunk.usage ?? null) === null));
      });
    });

    test("max_tokens, by its old and its new name, ends an answer with finish_reason length", async () => {
      await forEachModel(allWireModels, async (model) => {
        const old = await ask(model, "[sandbox:tokens-300] Tell me about Köln", { max_tokens: 17 });
        const fresh = await ask(model, "[sandbox:tokens-300] Tell me about Köln", {
          max_completion_tokens: 17,
        });
        const streamed = await stream(model, "[sandbox:tokens-300] Tell me about Köln", { max_tokens: 17 });
        for (const answer of [old, fresh]) {
          assert.equal(answer.choices[0]?.finish_reason, "length");
          assert.equal(answer.usage?.completion_tokens, 17);
        }
        assert.equal(joined(streamed).finish, "length");
        assert.equal(joined(streamed).text, old.choices[0]?.message.content);
      });
    });

    test("a stop sequence ends the answer before it; a model that has none answers, and it is named as left out", async () => {
      await forEachModel(allWireModels, async (model) => {
        const isRefused = model === "gpt-5";
        for (const stop of ["three", ["four", "three"]]) {
          const messages = [user('Say "one two three four"')];
          const asked = client().chat.completions.create({ model, messages, stop });
          const { data, response } = await asked.withResponse();
          const said = data.choices[0]?.message.content?.trimEnd();
          assert.equal(said, isRefused ? "one two three four" : "one two");
          assert.equal(data.choices[0]?.finish_reason, "stop");
          assert.equal(response.headers.get("x-skillboss-dropped"), isRefused ? "stop" : null);
        }
      });
    });

    test("n gives as many choices where the provider has them; Anthropic's wire refuses it, naming n", async () => {
      for (const model of ["gpt-4o-mini", "gemini-2.5-flash"]) {
        const answer = await ask(model, "Tell me about lakes", { n: 3 });
        assert.deepEqual(
          answer.choices.map(({ index }) => index),
          [0, 1, 2],
        );
        const chunks = await stream(model, "Tell me about lakes", { n: 3 });
        assert.equal(new Set(chunks.flatMap(({ choices }) => choices.map(({ index }) => index))).size, 3);
        assert.equal(joined(chunks).text, answer.choices[0]?.message.content);
      }
      await assert.rejects(ask("claude-4-5-sonnet", "Tell me about lakes", { n: 2 }), (error) => {
        assert.ok(error instanceof kit.errors.BadRequestError);
        assert.equal(error.param, "n");
        return true;
      });
    });

    test("system and developer messages are part of the prompt, at the beginning and within", async () => {
      await forEachModel(allWireModels, async (model) => {
        const answer = await client().chat.completions.create({
          model,
          messages: [
            { role: "system", content: "You are brief." },
            { role: "developer", content: "You are kind." },
            user("What is the capital of France?"),
            { role: "assistant", content: "Paris." },
            { role: "system", content: "Speak of numbers only." },
            user("What is its population?"),
          ],
        });
        assert.ok((answer.choices[0]?.message.content ?? "").length > 0);
        const bare = await ask(model, "What is its population?");
        const more = (answer.usage?.prompt_tokens ?? 0) - (bare.usage?.prompt_tokens ?? 0);
        assert.ok(more >= 20, `${model} read ${more} tokens more`);
      });
    });

    test("an image as a data URL is taken, and counted as more than text", async () => {
      await forEachModel(allWireModels, async (model) => {
        for (const url of [picture, picture.replace(";base64", ";name=p.png;base64")]) {
          const answer = await client().chat.completions.create({
            model,
            messages: [
              user([
                { type: "text", text: "What is this?" },
                { type: "image_url", image_url: { url } },
              ]),
            ],
          });
          assert.equal(answer.choices[0]?.finish_reason, "stop");
          assert.ok((answer.usage?.prompt_tokens ?? 0) > 500);
        }
      });
    });

    test("chat.completions.parse gives an object of the zod schema, over both wires", async () => {
      const recipe = z.object({
        title: z.string(),
        servings: z.int(),
        steps: z.array(z.object({ text: z.string(), minutes: z.number() })),
        source: z.union([z.string(), z.null()]),
        kind: z.enum(["soup", "cake"]),
      });
      await forEachModel(allWireModels, async (model) => {
        const answer = await client().chat.completions.parse({
          model,
          messages: [user("A recipe, please")],
          response_format: kit.zodFormat(recipe, "recipe"),
        });
        assert.ok(
          recipe.safeParse(answer.choices[0]?.message.parsed).success,
          answer.choices[0]?.message.content ?? "",
        );
        assert.equal(answer.choices[0]?.finish_reason, "stop");
      });
    });

    test("a JSON schema with keywords that Anthropic refuses is still satisfied, whole and streamed alike", async () => {
      const schema = {
        type: "object",
        properties: {
          id: {
            oneOf: [
              { type: "string", minLength: 3, pattern: "^[a-z]+$" },
              { type: "integer", minimum: 1, maximum: 5 },
            ],
          },
          list: {
            type: "array",
            minItems: 2,
            maxItems: 3,
            uniqueItems: true,
            items: { type: "number", exclusiveMinimum: 0 },
          },
          mail: { type: "string", format: "idn-email", maxLength: 40 },
          maybe: { type: ["object", "null"], properties: { k: { const: 1 } }, not: { required: ["z"] } },
          link: { $ref: "#/$defs/link" },
        },
        required: ["id", "list", "mail", "maybe", "link"],
        additionalProperties: false,
        $defs: {
          link: {
            type: "object",
            properties: { href: { type: "string", format: "uri" } },
            required: ["href"],
          },
        },
      };
      const format = { type: "json_schema", json_schema: { name: "record", schema, strict: true } } as const;
      await forEachModel(allWireModels, async (model) => {
        const whole = await ask(model, "A record", { response_format: format });
        const text = whole.choices[0]?.message.content ?? "";
        const record: unknown = JSON.parse(text);
        assert.ok(typeof record === "object" && record !== null);
        assert.deepEqual(Object.keys(record).toSorted(), ["id", "link", "list", "mail", "maybe"]);
        assertSatisfies(schema, text, model);
        const streamed = joined(await stream(model, "A record", { response_format: format }));
        assert.deepEqual(streamed, { text, finish: "stop", calls: [] });
      });
    });

    test("reasoning_effort makes a model think as its kind does; where it cannot, the member is named as left out", async () => {
      const efforts = ["none", "minimal", "low", "medium", "high", "xhigh"] as const;
      const asked = (model: string, effort: (typeof efforts)[number]) =>
        client()
          .chat.completions.create({
            model,
            messages: [user("Think of a number")],
            reasoning_effort: effort,
            max_tokens: 20_000,
          })
          .withResponse();
      const alwaysThinking: readonly string[] = ["claude-fable-5-1", "claude-opus-5-5"];
      await forEachModel([...anthropicWireModels, ...alwaysThinking], async (model) => {
        const alwaysThinks = alwaysThinking.includes(model);
        for (const effort of efforts) {
          const { data, response } = await asked(model, effort);
          const thoughts = data.usage?.completion_tokens_details?.reasoning_tokens ?? 0;
          assert.equal(
            thoughts > 0,
            alwaysThinks || effort !== "none",
            `${model} with ${effort}: ${thoughts}`,
          );
          const told = memberOf(data.choices[0]?.message, "reasoning_content");
          assert.equal(typeof told, thoughts > 0 ? "string" : "undefined");
          const isDropped = response.headers.get("x-skillboss-dropped") === "reasoning_effort";
          assert.equal(isDropped, alwaysThinks && effort === "none");
        }
      });
      for (const model of ["qwen/qwen-max", "gpt-4o-mini"]) {
        const { response } = await asked(model, "high");
        assert.equal(response.headers.get("x-skillboss-dropped"), "reasoning_effort", model);
      }
    });

    test("an answer cut within its thoughts is charged like any other, streamed as whole", async () => {
      for (const model of ["claude-sonnet-5-5", "gemini-2.5-flash"]) {
        const params = { reasoning_effort: "high", max_tokens: 8 } as const;
        const one = clientFor(kit, gateway, (await gateway.customer({ mode: "test" })).key);
        const messages = [user("Think of a number")];
        const { data, response } = await one.chat.completions
          .create({ model, messages, ...params })
          .withResponse();
        assert.equal(data.choices[0]?.finish_reason, "length");
        assert.equal(data.choices[0]?.message.content ?? "", "");
        assert.ok(String(memberOf(data.choices[0]?.message, "reasoning_content")).length > 0);
        const cost = micro(response.headers.get("x-skillboss-cost"));
        assert.ok(cost > 0n, `${model}: thoughts that were shown are not free`);
        const chunks = await collected(
          await one.chat.completions.create({ model, messages, ...params, stream: true }),
        );
        assert.equal(memberOf(chunks.at(-1), "_remaining_credits"), Number(1_000_000_000n - 2n * cost) / 1e6);
      }
    });

    test("the SDK's stream helper puts the same message together", async () => {
      for (const model of [openaiWireModels[0], anthropicWireModels[0]]) {
        const helper = client().chat.completions.stream({ model, messages: [user("Tell me about ships")] });
        const final = await helper.finalChatCompletion();
        const whole = await ask(model, "Tell me about ships");
        assert.equal(final.choices[0]?.message.content, whole.choices[0]?.message.content);
        assert.equal(final.choices[0]?.finish_reason, "stop");
      }
    });

    test("logprobs tell of every token, whole and streamed; where a model has none, they are named as left out", async () => {
      await forEachModel(allWireModels, async (model) => {
        const params = { logprobs: true, top_logprobs: 2 };
        const { data, response } = await client()
          .chat.completions.create({ model, messages: [user("Tell me about rain")], ...params })
          .withResponse();
        const [choice] = data.choices;
        const dropped = (response.headers.get("x-skillboss-dropped") ?? "").split(", ").toSorted();
        const hasThem = ["gpt-4o-mini", "deepseek/deepseek-v3", "qwen/qwen-max"].includes(model);
        assert.deepEqual(dropped, hasThem ? [""] : ["logprobs", "top_logprobs"], model);
        const told = choice?.logprobs?.content ?? [];
        assert.equal(told.map(({ token }) => token).join(""), hasThem ? choice?.message.content : "");
        assert.ok(told.every((token) => token.top_logprobs.length === 2));
        const chunks = await stream(model, "Tell me about rain", params);
        const streamed = chunks.flatMap(({ choices }) => choices[0]?.logprobs?.content ?? []);
        assert.deepEqual(streamed, told);
      });
    });

    test("top_p and temperature together pass Anthropic's rules, and top_p is named as left out", async () => {
      for (const model of allWireModels.filter(isAnthropicWire)) {
        const asked = client().chat.completions.create({
          model,
          messages: [user("Hi")],
          temperature: 1.6,
          top_p: 0.9,
        });
        const { response } = await asked.withResponse();
        assert.match(response.headers.get("x-skillboss-dropped") ?? "", /top_p/);
      }
    });
  });
}
