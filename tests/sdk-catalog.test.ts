import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type OpenAI from "openai";
import type { Customer } from "./support/gateway-api.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";
import { runShell } from "./support/program.ts";
import {
  allWireModels,
  assertAllSettled,
  clientFor,
  collected,
  costOfShown,
  kits,
  memberOf,
  micro,
  seedNames,
  user,
} from "./support/sdk.ts";

/** What can be called, what it costs, and what was spent: as the SDK and the SkillBoss clients read it. */
let gateway: Gateway;

/** Its example has what a shell takes for the end of a text. */
const quoted = {
  id: "quoted/page",
  kind: "run",
  category: "search",
  inputs: { type: "object", properties: { query: { type: "string" } } },
  example: { query: "it's tea" },
  retail: [{ meter: "requests", per: 1, usd: "0.01" }],
  offers: [],
};
before(async () => {
  gateway = await startGateway({ moreFiles: { "models/quoted.json": quoted } });
});
after(async () => {
  await assertAllSettled(gateway);
  assert.equal(await gateway.stop(), 0);
});

const customer = (): Promise<Customer> => gateway.customer({ mode: "test" });

async function pricesOf(key: string, model: string) {
  const { status, body } = await gateway.get(key, `/v1/models/${model}`);
  assert.equal(status, 200);
  return body.prices;
}

for (const [name, kit] of Object.entries(kits)) {
  describe(name, () => {
    test("models.list has every name of the public contract, in OpenAI's form", async () => {
      const { key } = await customer();
      const models = await collected(clientFor(kit, gateway, key).models.list());
      const ids = models.map(({ id }) => id);
      assert.equal(new Set(ids).size, ids.length, "each name once");
      for (const seed of seedNames) assert.ok(ids.includes(seed), seed);
      for (const model of models) {
        assert.equal(model.object, "model");
        assert.equal(typeof model.created, "number");
        assert.ok(model.owned_by.length > 0);
      }
    });

    test("models.retrieve finds a model by id and by alias, with slashes in either form", async () => {
      const { key } = await customer();
      const client = clientFor(kit, gateway, key);
      for (const id of ["openai/gpt-4o-mini", "gpt-4o-mini", "deepseek/deepseek-v3", "claude-4-5-sonnet"]) {
        const model = await client.models.retrieve(id);
        assert.equal(model.id, id);
      }
      await assert.rejects(client.models.retrieve("openai/no-such-model"), (error) => {
        assert.ok(error instanceof kit.errors.NotFoundError);
        assert.equal(error.code, "model_not_found");
        return true;
      });
    });

    test("a model tells whether a choice of tools can make it call one", async () => {
      const { key } = await customer();
      const told = async (id: string): Promise<unknown> => {
        const { body } = await gateway.get(key, `/v1/models/${id}`);
        return body.capabilities.forced_tools;
      };
      assert.deepEqual([await told("gpt-4o-mini"), await told("claude-opus-4-7")], [true, true]);
      assert.deepEqual([await told("claude-opus-5-5"), await told("claude-sonnet-5-5")], [false, false]);
    });

    test("usage shown is usage charged: the price list times the usage is the cost, the receipt and the balance", async () => {
      const one = await customer();
      const client = clientFor(kit, gateway, one.key);
      let left = 1_000_000_000n;
      for (const model of allWireModels) {
        const prices = await pricesOf(one.key, model);
        const messages = [
          user([
            { type: "text", text: `[sandbox:tokens-120] Tell me about tides, ${name}` },
            { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=" } },
          ]),
        ];
        const asked = client.chat.completions.create({
          model,
          messages,
          reasoning_effort: "medium",
          max_tokens: 9_000,
        });
        const { data, response } = await asked.withResponse();
        const cost = costOfShown(prices, data.usage, "0.05");
        assert.equal(micro(response.headers.get("x-skillboss-cost")), cost, model);
        left -= cost;
        assert.equal(micro(response.headers.get("x-skillboss-balance")), left, model);

        const stream = await client.chat.completions.create({
          model,
          messages,
          stream: true,
          stream_options: { include_usage: true },
        });
        const last = (await collected(stream)).at(-1);
        const streamed = costOfShown(prices, last?.usage ?? undefined, "0.05");
        left -= streamed;
        assert.equal(Math.round(Number(memberOf(last, "_remaining_credits")) * 1e6), Number(left), model);
        const { body } = await gateway.get(one.key, "/v1/usage?period=day");
        assert.equal(micro(body.recent[0].credits), streamed, model);
        assert.equal(body.recent[0].model, model);
        assert.equal(body.recent[0].estimated, false);
      }
    });

    test("what is written to a prompt cache and read from it is charged at its own price", async () => {
      const one = await customer();
      const model = "claude-4-5-sonnet";
      const prices = await pricesOf(one.key, model);
      const text = `${name}: ${"a long instruction ".repeat(1500)}`;
      const messages: OpenAI.Chat.ChatCompletionMessageParam[] = [
        {
          role: "system",
          content: [Object.assign({ type: "text" as const, text }, { cache_control: { type: "ephemeral" } })],
        },
        user("Hi"),
      ];
      const seen: number[][] = [];
      for (let times = 0; times < 2; times += 1) {
        const { data, response } = await clientFor(kit, gateway, one.key)
          .chat.completions.create({ model, messages })
          .withResponse();
        const details: object = data.usage?.prompt_tokens_details ?? {};
        seen.push([
          Number(memberOf(details, "cache_write_tokens")),
          Number(memberOf(details, "cached_tokens")),
        ]);
        assert.equal(
          micro(response.headers.get("x-skillboss-cost")),
          costOfShown(prices, data.usage, "0.05"),
        );
      }
      const [first, second] = seen;
      assert.ok((first?.[0] ?? 0) > 3000, "the first call writes");
      assert.equal(first?.[1], 0);
      assert.deepEqual(second, [0, first?.[0]], "the second reads what the first wrote");
    });
  });
}

test("the model list has what each known client reads: data, models, count, available_types", async () => {
  const { key } = await customer();
  const { status, body } = await gateway.get(key, "/v1/models");
  assert.equal(status, 200);
  assert.equal(body.object, "list");
  assert.deepEqual(body.models, body.data);
  assert.equal(body.count, body.models.length);
  let counted = 0;
  for (const count of Object.values<number>(body.available_types)) counted += count;
  assert.equal(counted, body.count);
  for (const model of body.models) {
    assert.equal(model.model_id, model.id);
    for (const member of ["id", "type", "description", "name", "display_name", "owned_by"])
      assert.equal(typeof model[member], "string", `${model.id} ${member}`);
    assert.equal(typeof model.available, "boolean");
    for (const price of Object.values(model.pricing)) assert.equal(typeof price, "number", model.id);
  }
});

test("?types and ?ids choose, escaped or not, and all means all", async () => {
  const { key } = await customer();
  const ask = async (query: string) => (await gateway.get(key, `/v1/models?${query}`)).body;
  const all = await ask("");
  const chat = await ask("types=chat");
  assert.equal(chat.count, all.available_types.chat);
  assert.ok(chat.models.every((model: { type: string }) => model.type === "chat"));
  const several = await ask("types=image%2Cvideo");
  assert.equal(several.count, all.available_types.image + all.available_types.video);
  assert.equal((await ask("types=all")).count, all.count);
  assert.equal((await ask("types=storage")).count, 0);
  assert.equal((await ask("types=no-such-type")).error.param, "types");
  const two = await ask("ids=gpt-4o-mini,qwen/qwen-max");
  assert.deepEqual(two.models.map((model: { id: string }) => model.id).toSorted(), [
    "gpt-4o-mini",
    "qwen/qwen-max",
  ]);
});

test("one model, its id with slashes as they are or escaped, shows prices, documentation and a call", async () => {
  const { key } = await customer();
  for (const path of ["deepseek/deepseek-v3", "deepseek%2Fdeepseek-v3"]) {
    const { status, body } = await gateway.get(key, `/v1/models/${path}`);
    assert.equal(status, 200);
    assert.equal(body.id, "deepseek/deepseek-v3");
    for (const member of [
      "display_name",
      "type",
      "description",
      "request_doc",
      "response_doc",
      "curl_example",
    ])
      assert.equal(typeof body[member], "string", member);
    assert.ok(Object.values(body.pricing).length > 0);
    assert.match(body.curl_example, /"model":"deepseek\/deepseek-v3"/);
  }
  const alias = (await gateway.get(key, "/v1/models/gpt-4-turbo")).body;
  assert.equal(alias.alias_of, "openai/gpt-4o");
});

test("the example of a model is a line that a shell runs, to the address under which the client reached us", async () => {
  const { key } = await customer();
  const { curl_example: line } = (await gateway.get(key, "/v1/models/gpt-4o-mini")).body;
  assert.ok(line.startsWith(`curl ${gateway.url}/v1/chat/completions `), line);
  const { code, output } = await runShell(line, { SKILLBOSS_API_KEY: key });
  assert.equal(code, 0);
  assert.equal(JSON.parse(output).object, "chat.completion");
  const own = (await gateway.get(key, "/v1/models/quoted/page")).body.curl_example;
  const shown = await runShell(own.replace(/^curl /, "printf '%s\\n' "));
  const [sent = ""] = shown.output.trim().split("\n").slice(-1);
  assert.deepEqual(JSON.parse(sent), { model: "quoted/page", inputs: quoted.example });
});

test("whether a model is available depends on the mode of the key", async () => {
  const live = await gateway.customer({ mode: "live" });
  const tester = await customer();
  const availability = async (key: string) =>
    (await gateway.get(key, "/v1/models/gpt-4o-mini")).body.available;
  assert.equal(await availability(tester.key), true);
  assert.equal(await availability(live.key), false);
  assert.equal((await gateway.get(live.key, "/v1/models/m-chat")).body.available, true);
});

test("balance and usage are numbers where older clients read numbers, and agree with the receipts", async () => {
  const { key } = await customer();
  let charged = 0n;
  for (const model of ["gpt-4o-mini", "claude-4-5-sonnet", "gpt-4o-mini"]) {
    const answer = await gateway.chat(key, { model, messages: [user("Tell me about rain")] });
    charged += micro(answer.headers.get("x-skillboss-cost"));
    await answer.text();
  }
  const balance = (await gateway.get(key, "/v1/balance")).body;
  assert.equal(micro(balance.available), 1_000_000_000n - charged);
  assert.equal(balance.credits, Number(balance.available));
  assert.equal(balance.held, "0.000000");
  assert.equal(balance.mode, "test");

  const own = (await gateway.get(key, "/api/me/balance")).body;
  assert.equal(own.credits, balance.credits);
  assert.ok(Math.abs(own.balance - balance.credits * 0.05) < 1e-6);

  const usage = (await gateway.get(key, "/v1/usage?period=day")).body;
  assert.equal(micro(usage.total.credits), charged);
  assert.equal(usage.total.requests, 3);
  assert.deepEqual(
    usage.by_model.map((one: { model: string; requests: number }) => [one.model, one.requests]),
    [
      ["claude-4-5-sonnet", 1],
      ["gpt-4o-mini", 2],
    ],
  );
  assert.equal(usage.recent.length, 3);
  assert.equal((await gateway.get(key, "/v1/usage?period=day&model=CLAUDE")).body.total.requests, 1);

  for (const period of ["day", "week", "month", "all", ""]) {
    const query = period === "" ? "" : `?period=${period}`;
    const {
      summary,
      by_model: byModel,
      by_type: byType,
      daily,
    } = (await gateway.get(key, `/api/me/usage${query}`)).body;
    assert.equal(summary.total_requests, 3);
    assert.equal(summary.total_credits, Number(usage.total.credits));
    assert.equal(typeof summary.total_usd, "number");
    for (const one of byModel) {
      assert.equal(typeof one.model, "string");
      assert.equal(typeof one.requests, "number");
      assert.equal(typeof one.cost_usd, "number");
    }
    assert.deepEqual(byType[0].type, "chat");
    assert.equal(daily.length, 1);
  }
  const wrong = await gateway.get(key, "/api/me/usage?period=year");
  assert.equal(wrong.status, 400);
  assert.equal(wrong.body.error.param, "period");
});

test("an account that has called nothing has usage of zeros, not of nothing", async () => {
  const { key } = await customer();
  const { summary, by_model: byModel } = (await gateway.get(key, "/api/me/usage")).body;
  assert.deepEqual(summary, { total_requests: 0, total_usd: 0, total_credits: 0 });
  assert.deepEqual(byModel, []);
});
