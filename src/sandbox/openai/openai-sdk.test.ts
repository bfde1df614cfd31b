import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import OpenAI from "openai";
import OpenAI6 from "openai-6";
import { Ajv2020 } from "ajv/dist/2020.js";
import { loadTokenizer } from "../answers/tokens.ts";
import { startSandbox } from "../sandbox.ts";
import type { RunningSandbox } from "../sandbox.ts";

type Options = { readonly baseURL: string; readonly apiKey: string; readonly maxRetries: number };
type Kit = { readonly connect: (options: Options) => OpenAI; readonly errors: typeof OpenAI };

/** Both majors have the methods used here in common; the tests are typed by the newer one. */
const kits: Readonly<Record<string, Kit>> = {
  "openai 7": { connect: (options) => new OpenAI(options), errors: OpenAI },
  "openai 6": {
    connect: (options) => new OpenAI6(options) as unknown as OpenAI,
    errors: OpenAI6 as unknown as typeof OpenAI,
  },
};

const weather: OpenAI.Chat.ChatCompletionTool = {
  type: "function",
  function: {
    name: "get_weather",
    parameters: {
      type: "object",
      properties: {
        city: { type: "string", minLength: 2 },
        unit: { enum: ["c", "f"] },
        days: { type: "integer", minimum: 1 },
      },
      required: ["city", "unit", "days"],
      additionalProperties: false,
    },
  },
};
const clock: OpenAI.Chat.ChatCompletionTool = { type: "function", function: { name: "get_time" } };

let sandbox: RunningSandbox;
before(async () => {
  sandbox = await startSandbox();
});
after(async () => {
  await sandbox.stop();
});

const user = (content: string): OpenAI.Chat.ChatCompletionMessageParam => ({ role: "user", content });

async function collected<Item>(items: AsyncIterable<Item>): Promise<readonly Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

for (const [name, kit] of Object.entries(kits)) {
  describe(name, () => {
    const client = (provider = "openai", apiKey = "sk-any"): OpenAI =>
      kit.connect({ baseURL: `${sandbox.url}/${provider}/v1`, apiKey, maxRetries: 0 });
    const ask = (
      content: string,
      more: Partial<OpenAI.Chat.ChatCompletionCreateParamsNonStreaming> = {},
    ): Promise<OpenAI.Chat.ChatCompletion> =>
      client().chat.completions.create({ model: "gpt-5", messages: [user(content)], ...more });

    test("gets a whole answer about the prompt, its tokens counted", async () => {
      const answer = await ask("Please explain volcanoes");
      const text = answer.choices[0]?.message.content ?? "";
      assert.match(text, /volcanoes/);
      assert.equal(answer.choices[0]?.finish_reason, "stop");
      const { count } = await loadTokenizer();
      assert.equal(answer.usage?.completion_tokens, count(text));
      assert.equal(answer.usage?.prompt_tokens, count("Please explain volcanoes") + 7);
      assert.equal(answer.usage?.total_tokens, count(text) + count("Please explain volcanoes") + 7);
    });

    test("gets the same answer to the same request, and another one for another seed", async () => {
      const [one, again, other] = await Promise.all([
        ask("Explain rivers", { seed: 1 }),
        ask("Explain rivers", { seed: 1 }),
        ask("Explain rivers", { seed: 2 }),
      ]);
      assert.deepEqual(one, again);
      assert.notEqual(one.id, other.id);
      assert.notEqual(one.choices[0]?.message.content, other.choices[0]?.message.content);
    });

    test("gets the same text streamed as whole, one token a delta", async () => {
      const whole = await ask("Tell me about bridges");
      const stream = await client().chat.completions.create({
        model: "gpt-5",
        messages: [user("Tell me about bridges")],
        stream: true,
        stream_options: { include_usage: true },
      });
      const chunks = await collected(stream);
      const texts = chunks.flatMap((chunk) => chunk.choices.map((choice) => choice.delta.content ?? ""));
      assert.equal(texts.join(""), whole.choices[0]?.message.content);
      assert.equal(texts.filter((text) => text !== "").length, whole.usage?.completion_tokens);
      assert.deepEqual(new Set(chunks.map((chunk) => chunk.id)), new Set([whole.id]));
      assert.equal(chunks[0]?.choices[0]?.delta.role, "assistant");
      assert.deepEqual(chunks.at(-2)?.choices[0]?.finish_reason, "stop");
      assert.deepEqual(chunks.at(-1)?.choices, []);
      assert.deepEqual(chunks.at(-1)?.usage, whole.usage);
      assert.ok(chunks.slice(0, -1).every((chunk) => chunk.usage === null));
    });

    test("calls a tool that takes no parameters with none", async () => {
      const answer = await ask("What time is it?", { tools: [clock], tool_choice: "required" });
      const [call] = answer.choices[0]?.message.tool_calls ?? [];
      assert.ok(call?.type === "function");
      assert.equal(call.function.arguments, "{}");
    });

    test("gets the older function_call for functions, streamed or whole, and a text for its result", async () => {
      assert.ok(weather.type === "function");
      const asked = {
        model: "gpt-4o",
        messages: [user("The weather in Paris and London")],
        functions: [weather.function],
        function_call: { name: "get_weather" },
      };
      const whole = await client().chat.completions.create(asked);
      const message = whole.choices[0]?.message ?? assert.fail("no choice");
      const called = message.function_call ?? assert.fail("no function was called");
      assert.equal(whole.choices[0]?.finish_reason, "function_call");
      assert.equal(message.tool_calls, undefined);
      assert.equal(typeof JSON.parse(called.arguments).city, "string");
      const chunks = await collected(await client().chat.completions.create({ ...asked, stream: true }));
      const calls = chunks.map((chunk) => chunk.choices[0]?.delta.function_call);
      assert.equal(calls.map((call) => call?.name ?? "").join(""), "get_weather");
      assert.equal(calls.map((call) => call?.arguments ?? "").join(""), called.arguments);
      const result = { role: "function", name: "get_weather", content: "sunny" } as const;
      const { functions, model } = asked;
      const messages = [...asked.messages, message, result];
      const last = await client().chat.completions.create({ model, functions, messages });
      assert.match(last.choices[0]?.message.content ?? "", /sunny/);
    });

    test("gets no usage in a stream that does not ask for it", async () => {
      const stream = await client().chat.completions.create({
        model: "gpt-5",
        messages: [user("hi")],
        stream: true,
      });
      for await (const chunk of stream) assert.ok(!("usage" in chunk));
    });

    test("gets exactly max_tokens tokens when the text is longer", async () => {
      const { count } = await loadTokenizer();
      for (const limit of [1, 2, 7, 20, 250]) {
        const answer = await ask("[sandbox:tokens-300] Tell me about Köln, 東京 and Malmö", {
          max_tokens: limit,
        });
        assert.equal(answer.choices[0]?.finish_reason, "length");
        assert.equal(answer.usage?.completion_tokens, limit);
        assert.equal(count(answer.choices[0]?.message.content ?? ""), limit);
      }
    });

    test("gets as many tokens as ordered", async () => {
      for (const length of [1, 5, 300, 4_000]) {
        const answer = await ask(`[sandbox:tokens-${length}] Tell me about rain`);
        assert.equal(answer.usage?.completion_tokens, length);
        assert.equal(answer.choices[0]?.finish_reason, "stop");
      }
    });

    test("gets text up to a stop sequence and without it", async () => {
      const answer = await ask('Say "one two three four"', {
        model: "gpt-4.1",
        stop: ["three", "two"],
      });
      assert.equal(answer.choices[0]?.message.content, "one ");
      assert.equal(answer.choices[0]?.finish_reason, "stop");
    });

    test("gets as many choices as asked for, all counted, streamed or not", async () => {
      const answer = await ask("Tell me about lakes", { n: 3 });
      assert.deepEqual(
        answer.choices.map((choice) => choice.index),
        [0, 1, 2],
      );
      const texts = answer.choices.map((choice) => choice.message.content ?? "");
      assert.ok(new Set(texts).size > 1);
      const { count } = await loadTokenizer();
      assert.equal(
        answer.usage?.completion_tokens,
        texts.reduce((sum, text) => sum + count(text), 0),
      );
      const streamed = await client()
        .chat.completions.stream({ model: "gpt-5", messages: [user("Tell me about lakes")], n: 3 })
        .finalChatCompletion();
      assert.deepEqual(
        streamed.choices.map((choice) => choice.message.content),
        texts,
      );
    });

    test("gets a tool call with valid arguments when the prompt hints at a tool", async () => {
      const answer = await ask("How is the weather in Paris?", { tools: [clock, weather] });
      const [call, ...others] = answer.choices[0]?.message.tool_calls ?? [];
      assert.equal(others.length, 0);
      assert.ok(call?.type === "function");
      assert.equal(call.function.name, "get_weather");
      const given: unknown = JSON.parse(call.function.arguments);
      assert.ok(
        new Ajv2020().validate(weather.type === "function" ? (weather.function.parameters ?? {}) : {}, given),
      );
      assert.match(call.function.arguments, /Paris/);
      assert.equal(answer.choices[0]?.finish_reason, "tool_calls");
      assert.equal(answer.choices[0]?.message.content, null);
    });

    test("gets text instead of a call when nothing hints at a tool, or tools are forbidden", async () => {
      const plain = await ask("Tell me a story about cats", { tools: [weather] });
      assert.equal(plain.choices[0]?.message.tool_calls, undefined);
      const forbidden = await ask("How is the weather?", { tools: [weather], tool_choice: "none" });
      assert.equal(forbidden.choices[0]?.message.tool_calls, undefined);
    });

    test("gets the named tool, or any when one is required", async () => {
      const named = await ask("Hello", {
        tools: [weather, clock],
        tool_choice: { type: "function", function: { name: "get_time" } },
      });
      const call = named.choices[0]?.message.tool_calls?.[0];
      assert.ok(call?.type === "function" && call.function.name === "get_time");
      const required = await ask("Hello", { tools: [weather, clock], tool_choice: "required" });
      assert.equal(required.choices[0]?.finish_reason, "tool_calls");
    });

    test("gets parallel calls, each about its own thing, unless they are forbidden", async () => {
      const prompt = "How is the weather in New York and in San Francisco?";
      const both = await ask(prompt, { tools: [weather] });
      const texts = both.choices[0]?.message.tool_calls?.map((call) =>
        call.type === "function" ? call.function.arguments : "",
      );
      assert.equal(texts?.length, 2);
      assert.match(texts?.[0] ?? "", /New York/);
      assert.match(texts?.[1] ?? "", /San Francisco/);
      const one = await ask(prompt, { tools: [weather], parallel_tool_calls: false });
      assert.equal(one.choices[0]?.message.tool_calls?.length, 1);
      const two = await ask("Use get_weather and get_time", { tools: [weather, clock] });
      assert.equal(two.choices[0]?.message.tool_calls?.length, 2);
    });

    test("gets streamed tool calls that add up to the whole ones", async () => {
      const params = {
        model: "gpt-5",
        messages: [user("The weather in Rome and Oslo, please")],
        tools: [weather],
      };
      const whole = await client().chat.completions.create(params);
      const streamed = await client().chat.completions.stream(params).finalChatCompletion();
      assert.equal(whole.choices[0]?.message.tool_calls?.length, 2);
      assert.deepEqual(
        streamed.choices[0]?.message.tool_calls?.map(({ id, type, ...call }) => [
          id,
          type,
          "function" in call ? [call.function.name, call.function.arguments] : [],
        ]),
        whole.choices[0]?.message.tool_calls?.map(({ id, type, ...call }) => [
          id,
          type,
          "function" in call ? [call.function.name, call.function.arguments] : [],
        ]),
      );
    });

    test("gets an answer that tells what a tool gave back", async () => {
      const messages: OpenAI.Chat.ChatCompletionMessageParam[] = [user("How is the weather in Paris?")];
      const first = await client().chat.completions.create({ model: "gpt-5", messages, tools: [weather] });
      const asked = first.choices[0]?.message;
      assert.ok(asked !== undefined);
      messages.push(asked);
      messages.push({
        role: "tool",
        tool_call_id: asked.tool_calls?.[0]?.id ?? "",
        content: "21 degrees, windy",
      });
      const second = await client().chat.completions.create({ model: "gpt-5", messages, tools: [weather] });
      assert.match(second.choices[0]?.message.content ?? "", /21 degrees, windy/);
      assert.equal(second.choices[0]?.finish_reason, "stop");
    });

    test("gets JSON that satisfies the schema asked for", async () => {
      const schema = {
        type: "object",
        properties: {
          title: { type: "string" },
          tags: { type: "array", items: { type: "string" }, minItems: 2 },
        },
        required: ["title", "tags"],
        additionalProperties: false,
      };
      const answer = await client().chat.completions.parse({
        model: "gpt-5",
        messages: [user("Describe a book about whales")],
        response_format: { type: "json_schema", json_schema: { name: "book", schema, strict: true } },
      });
      assert.ok(new Ajv2020().validate(schema, answer.choices[0]?.message.parsed));
      const free = await ask("Give me an object", { response_format: { type: "json_object" } });
      assert.equal(typeof JSON.parse(free.choices[0]?.message.content ?? ""), "object");
    });

    test("gets reasoning that is counted, and shown by providers that show it", async () => {
      const params = {
        model: "m",
        messages: [user("Why is the sky blue?")],
        reasoning_effort: "high" as const,
      };
      const hidden = await client().chat.completions.create(params);
      const shown = await client("deepseek").chat.completions.create(params);
      assert.deepEqual(
        [hidden, shown].map(({ choices }) => "reasoning_content" in (choices[0]?.message ?? {})),
        [false, true],
      );
      for (const { usage } of [hidden, shown]) {
        const reasoning = usage?.completion_tokens_details?.reasoning_tokens ?? 0;
        assert.ok(reasoning > 0 && reasoning < (usage?.completion_tokens ?? 0));
      }
    });

    test("gets usage the way each provider tells it", async () => {
      const params = {
        model: "m",
        messages: [user("Why is the sky blue?")],
        reasoning_effort: "high" as const,
      };
      const deepseek = await client("deepseek").chat.completions.create(params);
      assert.ok(deepseek.usage !== undefined && "prompt_cache_miss_tokens" in deepseek.usage);
      const openrouter = await client("openrouter").chat.completions.create(params);
      assert.ok(openrouter.usage !== undefined && "cost" in openrouter.usage);
      const { usage } = await client("xai").chat.completions.create(params);
      assert.ok(usage !== undefined);
      const reasoning = usage.completion_tokens_details?.reasoning_tokens ?? 0;
      assert.ok(reasoning > 0);
      assert.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens + reasoning);
    });

    test("lists models, with the day on which some end", async () => {
      const list = await collected(client().models.list());
      assert.ok(list.some((model) => "shutdown_date" in model));
      assert.equal((await client("mistral").models.retrieve("any-name")).id, "any-name");
      await assert.rejects(client().models.retrieve("missing-one"), kit.errors.NotFoundError);
    });

    test("gets the right error for what is refused", async () => {
      await assert.rejects(client("openai", "invalid").models.list(), kit.errors.AuthenticationError);
      await assert.rejects(ask("hi", { model: "missing-model" }), (error) => {
        assert.ok(error instanceof kit.errors.NotFoundError);
        assert.equal(error.code, "model_not_found");
        assert.equal(error.param, "model");
        assert.match(error.requestID ?? "", /^req_/);
        return true;
      });
      const refused: readonly (readonly [
        Partial<OpenAI.Chat.ChatCompletionCreateParamsNonStreaming>,
        string,
      ])[] = [
        [{ messages: [] }, "messages"],
        [{ messages: [{ role: "user", content: [] }] }, "messages.[0].content"],
        [{ messages: [{ role: "tool", tool_call_id: "x", content: "y" }] }, "messages.[0].role"],
        [{ temperature: 3 }, "temperature"],
        [{ n: 0 }, "n"],
        [{ max_tokens: 0 }, "max_tokens"],
        [{ max_tokens: 5, max_completion_tokens: 5 }, "max_tokens"],
        [{ stop: ["a", "b", "c", "d", "e"] }, "stop"],
        [{ model: "gpt-5.1", stop: "a", reasoning_effort: "none" }, "stop"],
        [{ model: "gpt-6-sol", prediction: { type: "content", content: "a" } }, "prediction"],
        [{ model: "o3", parallel_tool_calls: true }, "parallel_tool_calls"],
        [{ model: "gpt-4o", verbosity: "low" }, "verbosity"],
        [{ stream_options: { include_usage: true } }, "stream_options"],
        [{ tool_choice: "required" }, "tool_choice"],
        [{ tools: [{ type: "function", function: { name: "not a name" } }] }, "tools[0].function.name"],
      ];
      for (const [more, param] of refused) {
        await assert.rejects(ask("hi", more), (error) => {
          assert.ok(error instanceof kit.errors.BadRequestError, param);
          assert.equal(error.param, param);
          assert.equal(error.type, "invalid_request_error");
          return true;
        });
      }
    });
  });
}
