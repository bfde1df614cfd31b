import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import Anthropic0 from "anthropic-sdk-0";
import { Ajv2020 } from "ajv/dist/2020.js";
import { loadTokenizer } from "../answers/tokens.ts";
import { startSandbox } from "../sandbox.ts";
import type { RunningSandbox } from "../sandbox.ts";

type Options = { readonly baseURL: string; readonly apiKey: string; readonly maxRetries: number };
type Kit = {
  readonly connect: (options: Options) => Anthropic;
  readonly errors: typeof Anthropic;
  /** The older major speaks version 2023-06-01, which has sampling. */
  readonly hasSampling: boolean;
};

/** Both majors have the methods used here in common; the tests are typed by the newer one. */
const kits: Readonly<Record<string, Kit>> = {
  "@anthropic-ai/sdk 1": {
    connect: (options) => new Anthropic(options),
    errors: Anthropic,
    hasSampling: false,
  },
  "@anthropic-ai/sdk 0": {
    connect: (options) => new Anthropic0(options) as unknown as Anthropic,
    errors: Anthropic0 as unknown as typeof Anthropic,
    hasSampling: true,
  },
};

const weather: Anthropic.Tool = {
  name: "get_weather",
  input_schema: {
    type: "object",
    properties: { city: { type: "string" }, unit: { enum: ["c", "f"] } },
    required: ["city", "unit"],
    additionalProperties: false,
  },
};
const clock: Anthropic.Tool = { name: "get_time", input_schema: { type: "object", properties: {} } };

let sandbox: RunningSandbox;
before(async () => {
  sandbox = await startSandbox();
});
after(async () => {
  await sandbox.stop();
});

const textOf = (message: Anthropic.Message): string =>
  message.content.map((block) => (block.type === "text" ? block.text : "")).join("");

async function collected<Item>(items: AsyncIterable<Item>): Promise<readonly Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

for (const [name, kit] of Object.entries(kits)) {
  describe(name, () => {
    type Params = Anthropic.MessageCreateParamsNonStreaming;
    const client = (apiKey = "sk-any"): Anthropic =>
      kit.connect({ baseURL: `${sandbox.url}/anthropic`, apiKey, maxRetries: 0 });
    const paramsOf = (content: string, more: Partial<Params> = {}): Params => ({
      model: "claude-sonnet-4-6",
      max_tokens: 1_000,
      messages: [{ role: "user", content }],
      ...more,
    });
    const ask = (content: string, more: Partial<Params> = {}): Promise<Anthropic.Message> =>
      client().messages.create(paramsOf(content, more));

    test("gets a whole answer about the prompt, its tokens counted", async () => {
      const message = await ask("Explain glaciers", { system: "Be brief." });
      assert.match(textOf(message), /glaciers/);
      assert.equal(message.stop_reason, "end_turn");
      const { count } = await loadTokenizer();
      assert.equal(message.usage.output_tokens, count(textOf(message)));
      assert.equal(message.usage.input_tokens, count("Explain glaciers") + count("Be brief.") + 3);
      const blocks = await ask("Explain glaciers", { system: [{ type: "text", text: "Be brief." }] });
      assert.equal(blocks.usage.input_tokens, message.usage.input_tokens);
    });

    test("gets every member that the SDK's types promise, of messages, their usage and their calls", async () => {
      const asked: Partial<Params> = { tools: [weather], tool_choice: { type: "any" } };
      const whole = await ask("The weather in Paris", asked);
      const streamed = await client().messages.stream(paramsOf("The weather in Paris", asked)).finalMessage();
      for (const { container, diagnostics, usage, content } of [whole, streamed]) {
        const { speed, inference_geo: place } = usage;
        assert.deepEqual([container, diagnostics, speed, place], [null, null, null, null]);
        const [call] = content;
        assert.ok(call?.type === "tool_use");
        assert.deepEqual(call.caller, { type: "direct" });
      }
    });

    test("gets the same answer to the same request", async () => {
      assert.deepEqual(await ask("Explain deserts"), await ask("Explain deserts"));
    });

    test("gets the same message streamed as whole, in the event grammar", async () => {
      const params = paramsOf("How is the weather in Paris and in Rome?", {
        tools: [weather],
        thinking: { type: "adaptive" },
      });
      const whole = await client().messages.create(params);
      assert.deepEqual(
        whole.content.map((block) => block.type),
        ["thinking", "tool_use", "tool_use"],
      );
      const streamed = await client().messages.stream(params).finalMessage();
      assert.deepEqual(streamed.content, whole.content);
      assert.equal(streamed.stop_reason, "tool_use");
      assert.equal(streamed.usage.output_tokens, whole.usage.output_tokens);
      assert.equal(streamed.usage.input_tokens, whole.usage.input_tokens);
      const events = await collected(await client().messages.create({ ...params, stream: true }));
      const grammar =
        /^message_start( content_block_start( content_block_delta)+ content_block_stop)+ message_delta message_stop$/;
      assert.match(events.map((event) => event.type).join(" "), grammar);
    });

    test("gets exactly max_tokens tokens when the text is longer", async () => {
      for (const limit of [1, 9, 60]) {
        const message = await ask("[sandbox:tokens-100] Rain", { max_tokens: limit });
        assert.equal(message.stop_reason, "max_tokens");
        assert.equal(message.usage.output_tokens, limit);
        assert.equal((await loadTokenizer()).count(textOf(message)), limit);
      }
    });

    test("gets text up to a stop sequence, which is named", async () => {
      const message = await ask('Say "one two three"', { stop_sequences: ["two"] });
      assert.equal(textOf(message), "one ");
      assert.equal(message.stop_reason, "stop_sequence");
      assert.equal(message.stop_sequence, "two");
    });

    test("gets thinking with a signature, counted in the output", async () => {
      const message = await ask("Why is the sea salty?", { thinking: { type: "adaptive" } });
      const [thought] = message.content;
      assert.ok(thought?.type === "thinking" && thought.signature !== "" && thought.thinking !== "");
      const { count } = await loadTokenizer();
      assert.equal(message.usage.output_tokens, count(thought.thinking) + count(textOf(message)));
      const budget = await ask("Why?", {
        model: "claude-haiku-4-5",
        max_tokens: 3_000,
        thinking: { type: "enabled", budget_tokens: 1_024 },
      });
      assert.equal(budget.content[0]?.type, "thinking");
    });

    test("gets a tool call whose input satisfies its schema", async () => {
      const message = await ask("Hello", {
        tools: [clock, weather],
        tool_choice: { type: "tool", name: "get_weather" },
      });
      const [call] = message.content;
      assert.ok(call?.type === "tool_use");
      assert.ok(new Ajv2020().validate(weather.input_schema, call.input));
      assert.match(call.id, /^toolu_/);
    });

    test("gets parallel calls unless they are forbidden", async () => {
      const prompt = "How is the weather in Paris and Rome?";
      assert.equal((await ask(prompt, { tools: [weather] })).content.length, 2);
      const one = await ask(prompt, {
        tools: [weather],
        tool_choice: { type: "auto", disable_parallel_tool_use: true },
      });
      assert.equal(one.content.length, 1);
    });

    test("gets a call without arguments as one empty piece", async () => {
      const events = await collected(
        await client().messages.create({ ...paramsOf("What time is it?", { tools: [clock] }), stream: true }),
      );
      const pieces = events.flatMap((event) =>
        event.type === "content_block_delta" && event.delta.type === "input_json_delta"
          ? [event.delta.partial_json]
          : [],
      );
      assert.deepEqual(pieces, [""]);
    });

    test("gets an answer that tells what a tool gave back", async () => {
      const first = await ask("How is the weather in Paris?", { tools: [weather] });
      const call = first.content.find((block) => block.type === "tool_use");
      const second = await ask("", {
        tools: [weather],
        messages: [
          { role: "user", content: "How is the weather in Paris?" },
          { role: "assistant", content: first.content },
          {
            role: "user",
            content: [{ type: "tool_result", tool_use_id: call?.id ?? "", content: "18 degrees" }],
          },
        ],
      });
      assert.match(textOf(second), /18 degrees/);
    });

    test("gets JSON that satisfies the schema asked for", async () => {
      const schema = {
        type: "object",
        properties: { name: { type: "string" }, colours: { type: "array", items: { type: "string" } } },
        required: ["name", "colours"],
        additionalProperties: false,
      };
      const message = await ask("A bird", { output_config: { format: { type: "json_schema", schema } } });
      assert.ok(new Ajv2020().validate(schema, JSON.parse(textOf(message))));
    });

    test("gets a JSON object where the system prompt asks for nothing else, and prose where it does not", async () => {
      const saying = async (system: string) => textOf(await ask("Tell me about rain", { system }));
      for (const system of ["Answer with one JSON object and nothing else.", "Reply only in valid JSON."])
        assert.match(await saying(system), /^\{".+\}$/);
      for (const system of ["You know JSON. Be brief only.", "Never speak of JSON."])
        assert.match(await saying(system), /^\w+ .+[.!?]$/s);
    });

    test("pays for a marked prefix once and reads it from the cache afterwards", async () => {
      const marked = (text: string): Partial<Params> => ({
        system: [
          { type: "text", text: `A long text that is kept. ${name}`, cache_control: { type: "ephemeral" } },
          { type: "text", text: "And one that is not." },
        ],
        messages: [{ role: "user", content: text }],
      });
      const first = (await ask("", marked("One"))).usage;
      const second = (await ask("", marked("Two"))).usage;
      assert.ok((first.cache_creation_input_tokens ?? 0) > 0);
      assert.equal(first.cache_read_input_tokens, 0);
      assert.equal(second.cache_read_input_tokens, first.cache_creation_input_tokens);
      assert.equal(second.cache_creation_input_tokens, 0);
      assert.equal(second.input_tokens, first.input_tokens);
      assert.equal(first.cache_creation?.ephemeral_5m_input_tokens, first.cache_creation_input_tokens);
    });

    test("counts tokens as a message would", async () => {
      const params = {
        model: "claude-opus-5",
        messages: [{ role: "user" as const, content: "How many?" }],
        tools: [weather],
      };
      const counted = await client().messages.countTokens(params);
      const message = await client().messages.create({ ...params, max_tokens: 5 });
      assert.equal(counted.input_tokens, message.usage.input_tokens);
    });

    test("lists models", async () => {
      const models = await collected(client().models.list());
      assert.ok(models.some((model) => model.id === "claude-opus-5"));
      assert.equal((await client().models.retrieve("claude-haiku-4-5")).id, "claude-haiku-4-5");
    });

    test("may set a temperature only in the older version and up to generation 4.6", async () => {
      const warm = (model: string): Promise<Anthropic.Message> =>
        ask("Hi", { model, temperature: 0.5 } as Partial<Params>);
      if (kit.hasSampling) await warm("claude-sonnet-4-6");
      else await assert.rejects(warm("claude-sonnet-4-6"), kit.errors.BadRequestError);
      for (const model of [
        "claude-opus-4-7",
        "claude-sonnet-5",
        "claude-haiku-5",
        "claude-fable-5",
        "claude-opus-5",
      ]) {
        await assert.rejects(warm(model), kit.errors.BadRequestError, model);
      }
    });

    test("gets the right error for what is refused", async () => {
      await assert.rejects(client("invalid").messages.create(paramsOf("Hi")), kit.errors.AuthenticationError);
      await assert.rejects(ask("Hi", { model: "missing-claude" }), kit.errors.NotFoundError);
      const result = (id: string): Anthropic.MessageParam => ({
        role: "user",
        content: [{ type: "tool_result", tool_use_id: id, content: "x" }],
      });
      const refused: readonly (readonly [object, RegExp])[] = [
        [{ max_tokens: null }, /max_tokens/],
        [{ max_tokens: -1 }, /max_tokens/],
        [{ messages: [] }, /messages/],
        [{ messages: [{ role: "tool", content: "x" }] }, /messages\.0\.role/],
        [{ messages: [{ role: "user", content: [{ type: "text", text: "" }] }] }, /text is not empty/],
        [{ messages: [{ role: "user", content: "a" }, result("toolu_1")] }, /tool_use/],
        [
          {
            messages: [
              { role: "user", content: "a" },
              { role: "assistant", content: "b" },
            ],
          },
          /assistant/,
        ],
        [
          {
            model: "claude-haiku-4-5",
            messages: [
              { role: "user", content: "a" },
              { role: "assistant", content: [{ type: "text", text: "b\n" }] },
            ],
          },
          /white space/,
        ],
        [
          {
            messages: [
              { role: "user", content: "a" },
              { role: "assistant", content: [{ type: "tool_use", id: "t1", name: "f", input: {} }] },
              {
                role: "user",
                content: [
                  { type: "text", text: "b" },
                  { type: "tool_result", tool_use_id: "t1", content: "c" },
                ],
              },
            ],
          },
          /tool_result blocks come first/,
        ],
        [{ stop_sequences: [" "] }, /stop_sequences/],
        [{ n: 2 }, /^400.*n: there is no such member/],
        [{ tools: [{ name: "x", input_schema: {} }] }, /input_schema/],
        [{ tool_choice: { type: "any" } }, /tool_choice/],
        [{ thinking: { type: "enabled", budget_tokens: 10 } }, /budget_tokens/],
        ...["claude-opus-5-5", "claude-sonnet-5-5", "claude-fable-5-1"].map(
          (model) => [{ model, tools: [weather], tool_choice: { type: "any" } }, /not forced/] as const,
        ),
        [{ model: "claude-opus-5-5", thinking: { type: "disabled" } }, /always thinks/],
        [{ model: "claude-sonnet-5-5", thinking: { type: "disabled" } }, /between_tools instead/],
        [{ model: "claude-opus-5", thinking: { type: "between_tools" } }, /no between_tools/],
        [
          { output_config: { format: { type: "json_schema", schema: { type: "object" } } } },
          /additionalProperties/,
        ],
      ];
      for (const [more, message] of refused) {
        await assert.rejects(ask("Hi", more), (error) => {
          assert.ok(error instanceof kit.errors.BadRequestError, JSON.stringify(more));
          assert.equal(error.type, "invalid_request_error");
          assert.match(error.message, message);
          return true;
        });
      }
    });
  });
}

test("an ordered 408 is told as what the SDKs know it as", async () => {
  const response = await fetch(`${sandbox.url}/anthropic/v1/messages`, {
    method: "POST",
    headers: { "x-api-key": "k", "anthropic-version": "2023-06-01", "x-sandbox-fault": "408" },
    body: JSON.stringify({ model: "m", max_tokens: 1, messages: [{ role: "user", content: "Hi" }] }),
  });
  assert.equal(response.status, 408);
  assert.match(await response.text(), /"timeout_error"/);
});

test("a request without a version is refused", async () => {
  const response = await fetch(`${sandbox.url}/anthropic/v1/messages`, {
    method: "POST",
    headers: { "x-api-key": "k" },
    body: JSON.stringify({ model: "m", max_tokens: 1, messages: [{ role: "user", content: "Hi" }] }),
  });
  assert.equal(response.status, 400);
  assert.match(await response.text(), /"type":"error".*anthropic-version.*"request_id":"req_/);
});
