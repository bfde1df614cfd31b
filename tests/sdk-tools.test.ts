import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type OpenAI from "openai";
import type { Customer } from "./support/gateway-api.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";
import { assertSatisfies } from "./support/satisfied-schema.ts";
import {
  allWireModels,
  anthropicWireModels,
  assertAllSettled,
  clientFor,
  collected,
  functionCalls,
  isAnthropicWire,
  joined,
  kits,
  memberOf,
  user,
} from "./support/sdk.ts";

/** Tool calls through OpenAI's own SDK, in two majors, against the gateway with a test key. */
let gateway: Gateway;
let customer: Customer;
before(async () => {
  gateway = await startGateway();
  customer = await gateway.customer({ mode: "test", credits: "100000.00" });
});
after(async () => {
  await assertAllSettled(gateway);
  assert.equal(await gateway.stop(), 0);
});

type Params = Partial<OpenAI.Chat.ChatCompletionCreateParamsNonStreaming>;
type Message = OpenAI.Chat.ChatCompletionMessageParam;

const cityParameters = {
  type: "object",
  properties: { city: { type: "string", minLength: 2 }, days: { type: "integer", minimum: 1 } },
  required: ["city", "days"],
  additionalProperties: false,
};
const weather: OpenAI.Chat.ChatCompletionTool = {
  type: "function",
  function: { name: "get_weather", description: "The weather in a city.", parameters: cityParameters },
};
const strictWeather: OpenAI.Chat.ChatCompletionTool = {
  type: "function",
  function: { ...weather.function, strict: true },
};
/** Models that no choice of tools makes call one. */
const unforcedModels: readonly string[] = ["claude-sonnet-5-5", "claude-opus-5-5", "claude-fable-5-1"];
const clock: OpenAI.Chat.ChatCompletionTool = { type: "function", function: { name: "get_time" } };

function isCity(value: unknown): value is { readonly city: string; readonly days: number } {
  assertSatisfies(cityParameters, JSON.stringify(value), "get_weather");
  if (typeof value !== "object" || value === null) return false;
  return typeof memberOf(value, "city") === "string" && Number.isInteger(memberOf(value, "days"));
}

for (const [name, kit] of Object.entries(kits)) {
  describe(name, () => {
    const client = (): OpenAI => clientFor(kit, gateway, customer.key);
    const ask = (model: string, messages: Message[], more: Params = {}) =>
      client().chat.completions.create({ model, messages, ...more });
    const stream = async (model: string, messages: Message[], more: Params = {}) => {
      const { stream: _, ...params } = more;
      return collected(await client().chat.completions.create({ model, messages, ...params, stream: true }));
    };
    const forEachModel = (check: (model: string) => Promise<void>) => Promise.all(allWireModels.map(check));

    test("a tool is called, its result goes back, and the answer speaks of it", async () => {
      await forEachModel(async (model) => {
        const messages: Message[] = [user("What is the weather in Paris?")];
        const asked = await ask(model, messages, { tools: [weather, clock] });
        assert.equal(asked.choices[0]?.finish_reason, "tool_calls");
        const message = asked.choices[0]?.message;
        assert.ok(message !== undefined);
        assert.equal(message.content, null);
        const [call, ...more] = functionCalls(message);
        assert.equal(more.length, 0);
        assert.equal(call?.function.name, "get_weather");
        assert.ok(isCity(JSON.parse(call?.function.arguments ?? "")));
        messages.push(message, {
          role: "tool",
          tool_call_id: call?.id ?? "",
          content: "17 degrees and rain",
        });
        const answer = await ask(model, messages, { tools: [weather, clock] });
        assert.match(answer.choices[0]?.message.content ?? "", /17 degrees and rain/);
        assert.equal(answer.choices[0]?.finish_reason, "stop");
        const streamed = joined(await stream(model, messages, { tools: [weather, clock] }));
        assert.equal(streamed.text, answer.choices[0]?.message.content);
      });
    });

    test("a streamed tool call is the whole one in pieces: id and name once, arguments by index", async () => {
      await forEachModel(async (model) => {
        const messages = [user("What is the weather in Paris and in Rome?")];
        const whole = await ask(model, messages, { tools: [weather] });
        const calls = functionCalls(whole.choices[0]?.message);
        assert.equal(calls.length, 2, "both at once");
        assert.equal(new Set(calls.map(({ id }) => id)).size, 2);
        const chunks = await stream(model, messages, { tools: [weather] });
        const said = joined(chunks);
        assert.equal(said.finish, "tool_calls");
        assert.deepEqual(
          said.calls,
          calls.map(({ id, function: called }) => ({ id, ...called })),
        );
        const pieces = chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? []);
        assert.ok(pieces.length > 6, "arguments came in pieces");
      });
    });

    test("the results of parallel calls go back in any order", async () => {
      await forEachModel(async (model) => {
        const messages: Message[] = [user("What is the weather in Paris and in Rome?")];
        const { choices } = await ask(model, messages, { tools: [weather] });
        const message = choices[0]?.message;
        assert.ok(message !== undefined);
        const results = functionCalls(message).map(({ id, function: called }): Message => ({
          role: "tool",
          tool_call_id: id,
          content: `seen ${called.arguments}`,
        }));
        messages.push(message, ...results.toReversed(), user("Sum it up"));
        const answer = await ask(model, messages, { tools: [weather] });
        assert.equal(answer.choices[0]?.finish_reason, "stop");
        assert.ok((answer.choices[0]?.message.content ?? "").length > 0);
      });
    });

    test("parallel_tool_calls: false gives one call, where the provider knows it", async () => {
      await forEachModel(async (model) => {
        const asked = client().chat.completions.create({
          model,
          messages: [user("What is the weather in Paris and in Rome?")],
          tools: [weather],
          parallel_tool_calls: false,
        });
        const { data, response } = await asked.withResponse();
        const isDropped = (response.headers.get("x-skillboss-dropped") ?? "").includes("parallel_tool_calls");
        assert.equal(functionCalls(data.choices[0]?.message).length, isDropped ? 2 : 1);
        assert.equal(isDropped, model === "gemini-2.5-flash");
      });
    });

    test("a model that cannot be made to call a tool is offered it, and the changed tool_choice is named", async () => {
      const choices: readonly OpenAI.Chat.ChatCompletionToolChoiceOption[] = [
        "required",
        { type: "function", function: { name: "get_weather" } },
      ];
      const told = async (text: string, params: Params & { readonly model: string }) => {
        const asked = client().chat.completions.create({
          ...{ ...params, messages: [user(text)], tools: [weather], stream: false },
        });
        const { data, response } = await asked.withResponse();
        return [data.choices[0]?.finish_reason, response.headers.get("x-skillboss-changed")];
      };
      for (const model of unforcedModels) {
        for (const choice of choices) {
          const params = { model, tool_choice: choice };
          assert.deepEqual(await told("Weather in Paris?", params), ["tool_calls", "tool_choice"]);
          assert.deepEqual(await told("Hi", params), ["stop", "tool_choice"]);
        }
        assert.deepEqual(await told("Hi", { model, tool_choice: "auto" }), ["stop", null]);
      }
    });

    test("tool_choice forces, forbids and narrows", async () => {
      const forced = allWireModels.filter((model) => !unforcedModels.includes(model));
      await Promise.all(
        forced.map(async (model) => {
          const tools = [weather, clock];
          const named = await ask(model, [user("Hi")], {
            tools,
            tool_choice: { type: "function", function: { name: "get_time" } },
          });
          assert.deepEqual(
            functionCalls(named.choices[0]?.message).map((call) => call.function.name),
            ["get_time"],
          );
          const required = await ask(model, [user("Hi")], { tools, tool_choice: "required" });
          assert.equal(required.choices[0]?.finish_reason, "tool_calls");
          const none = await ask(model, [user("What is the weather in Paris?")], {
            tools,
            tool_choice: "none",
          });
          assert.equal(none.choices[0]?.message.tool_calls ?? undefined, undefined);
          assert.equal(none.choices[0]?.finish_reason, "stop");
          const allowed = await ask(model, [user("What is the weather in Paris?")], {
            tools,
            tool_choice: {
              type: "allowed_tools",
              allowed_tools: {
                mode: "required",
                tools: [{ type: "function", function: { name: "get_time" } }],
              },
            },
          });
          assert.deepEqual(
            functionCalls(allowed.choices[0]?.message).map((call) => call.function.name),
            ["get_time"],
          );
        }),
      );
    });

    test("strict tools, and a schema for the answer beside tools, pass both wires", async () => {
      const format = {
        type: "json_schema",
        json_schema: {
          name: "report",
          strict: true,
          schema: {
            type: "object",
            properties: { mood: { type: "string", minLength: 3 } },
            required: ["mood"],
            additionalProperties: false,
          },
        },
      } as const;
      await forEachModel(async (model) => {
        const messages: Message[] = [user("What is the weather in Paris?")];
        const asked = await ask(model, messages, { tools: [strictWeather], response_format: format });
        const message = asked.choices[0]?.message;
        assert.ok(message !== undefined);
        const [call] = functionCalls(message);
        assert.ok(isCity(JSON.parse(call?.function.arguments ?? "")));
        messages.push(message, { role: "tool", tool_call_id: call?.id ?? "", content: "rain" });
        const answer = await ask(model, messages, { tools: [strictWeather], response_format: format });
        const report: unknown = JSON.parse(answer.choices[0]?.message.content ?? "");
        assert.deepEqual(Object.keys(report ?? {}), ["mood"]);
      });
    });

    test("a model that thinks goes on after its tool's result, with its signed thoughts and without them", async () => {
      for (const model of anthropicWireModels) {
        const thinking: Params = { tools: [weather], reasoning_effort: "medium", max_tokens: 20_000 };
        const question = user("What is the weather in Paris?");
        const asked = await ask(model, [question], thinking);
        const message = asked.choices[0]?.message;
        assert.ok(message !== undefined);
        assert.ok(Array.isArray(memberOf(message, "reasoning_details")), model);
        const [call] = functionCalls(message);
        const result: Message = { role: "tool", tool_call_id: call?.id ?? "", content: "rain" };
        const { role, content, tool_calls: calls } = message;
        const forgetful: Message = { role, content, ...(calls === undefined ? {} : { tool_calls: calls }) };
        for (const before of [message, forgetful]) {
          const answer = await ask(model, [question, before, result], thinking);
          assert.match(answer.choices[0]?.message.content ?? "", /rain/);
          const streamed = joined(await stream(model, [question, before, result], thinking));
          assert.equal(streamed.text, answer.choices[0]?.message.content);
        }
      }
    });

    test("a conversation that called tools of one provider goes on with a model of another", async () => {
      const messages: Message[] = [user("What is the weather in Paris?")];
      for (const model of ["gpt-4o-mini", "claude-4-5-sonnet", "gemini-2.5-flash", "claude-opus-4-7"]) {
        const asked = await ask(model, messages, { tools: [weather], tool_choice: "required" });
        const message = asked.choices[0]?.message;
        assert.ok(message !== undefined);
        messages.push(message);
        for (const { id } of functionCalls(message))
          messages.push({ role: "tool", tool_call_id: id, content: "sun" });
      }
      const last = await ask("claude-3-5-haiku", messages);
      assert.match(last.choices[0]?.message.content ?? "", /sun/);
    });

    test("a tool call without its result is refused, naming the place", async () => {
      await forEachModel(async (model) => {
        const called: Message = {
          role: "assistant",
          content: null,
          tool_calls: [
            { id: "call_1", type: "function", function: { name: "get_weather", arguments: "{}" } },
          ],
        };
        await assert.rejects(
          ask(model, [user("Hi"), called, user("Well?")], { tools: [weather] }),
          (error) => {
            assert.ok(error instanceof kit.errors.BadRequestError);
            const place = isAnthropicWire(model) ? "messages[1].tool_calls[0]" : "messages[2]";
            assert.equal(error.param, place);
            return true;
          },
        );
      });
    });

    test("the SDK's tool runner carries a whole round trip by itself", async () => {
      for (const model of ["gpt-4o-mini", "claude-4-5-sonnet"]) {
        const seen: string[] = [];
        const runner = client().chat.completions.runTools({
          model,
          messages: [user("What is the weather in Paris?")],
          tools: [
            {
              type: "function",
              function: {
                name: "get_weather",
                description: "The weather in a city.",
                parameters: cityParameters,
                function(input: string) {
                  const place: unknown = JSON.parse(input);
                  assert.ok(isCity(place));
                  seen.push(place.city);
                  return "21 degrees";
                },
              },
            },
          ],
        });
        assert.match((await runner.finalContent()) ?? "", /21 degrees/);
        assert.deepEqual(seen, ["Paris"]);
      }
    });

    test("a custom tool takes text, whole and streamed, and its call goes back in the history", async () => {
      const tools = [{ type: "custom", custom: { name: "run_sql", description: "Runs a query." } }] as const;
      const choice = { type: "custom", custom: { name: "run_sql" } } as const;
      const params = { model: "gpt-4o-mini", messages: [user("Which bridges are old?")] } as const;
      const body = { ...params, tools, tool_choice: choice };
      type CustomCall = { id: string; type: "custom"; custom: { name: string; input: string } };
      const send = async (more: object): Promise<string> => {
        const answer = await gateway.chat(customer.key, { ...body, ...more });
        assert.equal(answer.status, 200);
        return answer.text();
      };
      const whole = JSON.parse(await send({})) as {
        choices: { finish_reason: string; message: { tool_calls: CustomCall[] } }[];
      };
      const [first] = whole.choices;
      const [call] = first?.message.tool_calls ?? [];
      assert.ok(call !== undefined && call.type === "custom" && call.custom.input !== "");
      assert.deepEqual([first?.finish_reason, call.custom.name], ["tool_calls", "run_sql"]);

      const inputs = [...(await send({ stream: true })).matchAll(/"input":"([^"]*)"/g)];
      assert.equal(inputs.map(([, piece]) => piece).join(""), call.custom.input);

      const history = [
        ...params.messages,
        { role: "assistant", tool_calls: [call] },
        { role: "tool", tool_call_id: call.id, content: "The oldest is from 1209." },
      ];
      const next = JSON.parse(await send({ messages: history, tool_choice: "auto" })) as {
        choices: { message: { content: string } }[];
      };
      assert.ok((next.choices[0]?.message.content ?? "").length > 0);
    });
  });
}
