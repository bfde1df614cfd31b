/** Cases C-01 to C-04 and C-06 to C-08 of the test plan; `m-run` becomes a chat model whose calls cost what they hold. */
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { chatToEnd, hello, startChat } from "./support/chat-exchange.ts";
import type { ChatExchange } from "./support/chat-exchange.ts";
import { noUsage, ok } from "./support/fake-behaviours.ts";
import { endsClean } from "./support/clean-end.ts";
import { eventually, startFakeUpstream } from "./support/fake-upstream.ts";
import type { FakeUpstream } from "./support/fake-upstream.ts";
import { startGateway } from "./support/gateway.ts";
import type { Customer, Gateway } from "./support/gateway.ts";
import { micro, quietAudit, trailOf } from "./support/money-trail.ts";
import { startPostgres } from "./support/postgres.ts";
import { perMillion, promptTelling, referenceCost, reportsAsTold } from "./support/priced-usage.ts";
import type { ToldUsage } from "./support/priced-usage.ts";
import { receiptOf } from "./support/receipts.ts";
import { seededRandom } from "./support/seeded-random.ts";

const oddPrices = { fresh: "0.1234567", cached: "0.0123457", output: "0.7654321" };
/** 10 tokens are 100,000 micro-credits, and the prompt is free: such a call costs exactly what it holds. */
const fixedPrices = { fresh: "0", cached: "0", output: "500" };
const callTokens = 10;

const homes = ["the embedded database", "PostgreSQL"] as const;

for (const home of homes) {
  suite(`on ${home}`, () => {
    let upstream: FakeUpstream;
    let gateway: Gateway;
    let skipped: string | undefined;

    before(async () => {
      const databaseUrl = home === "PostgreSQL" ? await freshDatabase() : undefined;
      if (typeof databaseUrl === "object") {
        skipped = databaseUrl.skipped;
        return;
      }
      upstream = await startFakeUpstream();
      gateway = await startGateway({
        p1: upstream.baseUrl,
        databaseUrl,
        moreModels: { "m-odd": perMillion(oddPrices), "m-fix": perMillion(fixedPrices) },
      });
    });

    after(async () => {
      if (skipped === undefined) {
        await endsClean(gateway);
        await upstream.stop();
      }
      if (home !== "PostgreSQL") return;
      const postgres = await startPostgres();
      if (!("skipped" in postgres)) await postgres.stop();
    });

    function guarantee(name: string, check: () => Promise<void>): void {
      test(name, (t) => (skipped === undefined ? check() : t.skip(skipped)));
    }

    const ask = (customer: Customer, body: Readonly<Record<string, unknown>>): Promise<ChatExchange> =>
      chatToEnd({
        url: gateway.url,
        key: customer.key,
        body: { model: "m-chat", messages: hello, ...body },
      });

    if (home === "the embedded database") {
      guarantee(
        "C-01 a charge is the formula to the micro-credit, for every mix of small and large",
        async () => {
          upstream.script("m-odd", reportsAsTold());
          const customer = await gateway.customer({ credits: "1000000.00" });
          const counts = [0, 1, 3, 1_000_000];
          const mixes = counts.flatMap((fresh) =>
            counts.flatMap((cached) => counts.map((output): ToldUsage => ({ fresh, cached, output }))),
          );
          for (const told of mixes) {
            // All zeros is a placeholder, not a report.
            if (told.fresh + told.cached + told.output === 0) continue;
            const exchange = await askTelling(customer, told, false);
            assert.equal(micro(header(exchange, "x-skillboss-cost")), referenceCost(oddPrices, told));
          }
        },
      );

      // The plan has 10,000 charges; 320 of them show the same.
      guarantee(
        "C-01 random charges add up to the change of the balance, and no number has a float's tail",
        async () => {
          upstream.script("m-odd", reportsAsTold());
          const customer = await gateway.customer({ credits: "1000.00" });
          const random = seededRandom(1);
          const count = (most: number) => Math.floor(random() ** 3 * most);
          const charges = Array.from({ length: 320 }, (): ToldUsage => ({
            ...{ fresh: count(20_000), cached: count(20_000), output: count(4_000) },
          }));
          const expected = new Map<string, bigint>();
          const texts: string[] = [];
          for (let first = 0; first < charges.length; first += 16) {
            const group = charges.slice(first, first + 16);
            const done = group.map(async (told, index) => {
              const exchange = await askTelling(customer, told, index % 2 === 0);
              assert.ok(exchange.isComplete);
              texts.push(exchange.text);
              return { callId: exchange.callId, cost: referenceCost(oddPrices, told) };
            });
            for (const { callId, cost } of await Promise.all(done)) expected.set(callId, cost);
          }
          const trail = await trailOf(gateway, customer.accountId);
          for (const [callId, cost] of expected) assert.equal(trail.calls.get(callId)?.charged, cost);
          const sum = [...expected.values()].reduce((total, cost) => total + cost, 0n);
          assert.equal(trail.available, 1_000_000_000n - sum);
          const { body: usage } = await gateway.get(customer.key, "/v1/usage");
          assert.equal(micro(usage.total.credits), sum);
          const { body: balance } = await gateway.get(customer.key, "/v1/balance");
          texts.push(JSON.stringify([usage, balance, trail.lines]));
          texts.push(JSON.stringify((await gateway.get(customer.key, "/api/me/usage")).body));
          texts.push(JSON.stringify((await gateway.get(customer.key, "/api/me/balance")).body));
          for (const text of texts) assert.doesNotMatch(text, /\d\.\d{7,}/);
        },
      );

      const askTelling = (customer: Customer, told: ToldUsage, stream: boolean): Promise<ChatExchange> =>
        ask(customer, {
          model: "m-odd",
          stream,
          max_tokens: Math.max(1, told.output),
          messages: [{ role: "user", content: promptTelling(told) }],
        });

      guarantee("C-03 an answer tells the ledger's balance at its settlement", async () => {
        upstream.script("m-chat", ok({ tokens: 3, prompt: 7 }));
        const customer = await gateway.customer({ credits: "20.00" });
        for (let call = 1; call <= 50; call += 1) {
          const exchange = await ask(customer, { stream: call % 2 === 0 });
          const spent = 48n * BigInt(call);
          assert.equal(remainingIn(exchange), 20_000_000n - spent);
          const { body: balance } = await gateway.get(customer.key, "/v1/balance");
          assert.equal(micro(balance.available), 20_000_000n - spent);
          assert.equal(balance.held, "0.000000");
          const { body: usage } = await gateway.get(customer.key, "/v1/usage");
          assert.equal(micro(usage.total.credits), spent);
        }
        const trail = await trailOf(gateway, customer.accountId);
        assert.equal(trail.available, 20_000_000n - 48n * 50n);
        assert.equal(trail.calls.size, 50);
      });

      guarantee("C-03 the warning begins exactly below ten credits", async () => {
        upstream.script("m-chat", ok({ tokens: 20, prompt: 100 }));
        for (const stream of [false, true]) {
          const above = await ask(await gateway.customer({ credits: "10.000450" }), { stream });
          assert.equal(remainingIn(above), 10_000_000n);
          assert.equal(above.json()._balance_warning, false);
          const below = await ask(await gateway.customer({ credits: "10.000449" }), { stream });
          assert.equal(remainingIn(below), 9_999_999n);
          assert.equal(below.json()._balance_warning, true);
        }
      });

      guarantee(
        "C-04 without credits the answer is a quick 402 in JSON that nobody upstream hears of",
        async () => {
          const customer = await gateway.customer({ credits: "0" });
          const before402 = upstream.log.length;
          const times: number[] = [];
          for (let call = 0; call < 60; call += 1) {
            const startedAt = performance.now();
            const exchange = await ask(customer, { stream: call % 2 === 0 });
            times.push(performance.now() - startedAt);
            assert.equal(exchange.status, 402);
            assert.match(header(exchange, "content-type"), /^application\/json/);
            const { error } = exchange.json();
            assert.equal(error.type, "insufficient_balance");
            assert.equal(error.code, "insufficient_balance");
            assert.equal(error.available_credits, 0);
            assert.ok(error.required_credits > 0);
            assert.equal(header(exchange, "x-skillboss-cost"), "0.000000");
          }
          assert.equal(upstream.log.length, before402);
          assert.deepEqual((await trailOf(gateway, customer.accountId)).lines, []);
          // The plan wants 50 ms of the slowest; on a busy machine the middle says as much.
          const middle = times.toSorted((a, b) => a - b)[times.length / 2] ?? Infinity;
          assert.ok(middle < 50, `half of the refusals took more than ${middle} ms`);
        },
      );

      // The plan has 200 aborts; a key's own minute is the limit on them, so 20 show it.
      guarantee("C-07 leaving before the first token costs nothing but the minute", async () => {
        upstream.script("m-chat", ok({ afterMs: 2_000 }));
        const customer = await gateway.customer({ credits: "1.00", rpm: 20 });
        const known = upstream.calls("m-chat").length;
        const aborts = Array.from({ length: 20 }, async (_, index) => {
          const body = { model: "m-chat", messages: hello, stream: index % 2 === 0 };
          const exchange = startChat({ url: gateway.url, key: customer.key, body });
          await wait(500);
          exchange.leave(index % 4 < 2 ? "FIN" : "RST");
          await exchange.over;
        });
        await Promise.all(aborts);
        const leftAt = performance.now();
        const records = () => upstream.calls("m-chat").slice(known);
        await eventually(() => records().every((record) => record.closedByClientAt !== undefined), 1_500);
        assert.equal(records().length, 20);
        for (const record of records()) assert.ok((record.closedByClientAt ?? Infinity) - leftAt < 1_000);
        assert.equal((await ask(customer, {})).json().error.code, "rate_limit_exceeded");
        await quietAudit(gateway);
        const trail = await trailOf(gateway, customer.accountId);
        assert.equal(trail.available, 1_000_000n);
        assert.equal(trail.calls.size, 20);
        for (const call of trail.calls.values()) assert.deepEqual(call.kinds, ["hold", "release"]);
        const { body } = await gateway.get(customer.key, "/v1/usage");
        for (const call of body.recent)
          assert.deepEqual([call.ending, call.credits], ["aborted", "0.000000"]);
      });
    }

    guarantee("C-02 a balance for ten calls pays for exactly ten of two hundred at once", async () => {
      upstream.script("m-fix", ok({ tokens: callTokens, afterMs: 20 }));
      const customer = await gateway.customer({ credits: "1.00" });
      const keys = [customer.key];
      while (keys.length < 4) {
        const { body } = await gateway.admin("POST", `/accounts/${customer.accountId}/keys`, {
          mode: "live",
        });
        keys.push(body.key);
      }
      const asks = Array.from({ length: 200 }, (_, index) => {
        const key = keys[index % 4] ?? customer.key;
        return ask({ ...customer, key }, { model: "m-fix", max_tokens: callTokens, stream: index % 8 < 4 });
      });
      const statuses = (await Promise.all(asks)).map((exchange) => exchange.status);
      assert.equal(statuses.filter((status) => status === 200).length, 10);
      assert.equal(statuses.filter((status) => status === 402).length, 190);
      assert.equal(upstream.calls("m-fix").length, 10);
      const { body } = await gateway.get(customer.key, "/v1/balance");
      assert.deepEqual([body.available, body.held], ["0.000000", "0.000000"]);
      const trail = await trailOf(gateway, customer.accountId);
      assert.equal(trail.calls.size, 10, "a refused call leaves no line");
    });

    guarantee("C-06 a client that leaves a stream pays for what was delivered", async () => {
      // One token each, in the words of o200k: 93, and 7 for the template.
      const messages = [{ role: "user", content: `hello${" hello".repeat(92)}` }];
      upstream.script("m-chat", ok({ tokens: 500, everyMs: 20, text: " hello" }));
      // The usage list shows the latest 20.
      const customers = [await gateway.customer(), await gateway.customer()] as const;
      const runs = Array.from({ length: 30 }, async (_, run) => {
        const customer = run < 15 ? customers[0] : customers[1];
        let leftAt = 0;
        const exchange = startChat({
          url: gateway.url,
          key: customer.key,
          body: { model: "m-chat", stream: true, messages, user: `run-${run}` },
          onPart: (seen) => {
            if (leftAt > 0 || seen.deltas < 50) return;
            leftAt = performance.now();
            seen.leave("RST");
          },
        });
        await exchange.over;
        const record = () => upstream.calls("m-chat").find((one) => one.json["user"] === `run-${run}`);
        await eventually(() => record()?.closedByClientAt !== undefined, 3_000);
        const closedAfterMs = (record()?.closedByClientAt ?? Infinity) - leftAt;
        assert.ok(closedAfterMs < 1_000, `closed upstream after ${closedAfterMs} ms`);
        const receipt = await receiptOf(gateway, customer.key, header(exchange, "x-request-id"));
        return { receipt, seen: exchange.deltas, emitted: record()?.tokens ?? 0 };
      });
      for (const { receipt, seen, emitted } of await Promise.all(runs)) {
        assert.deepEqual([receipt.ending, receipt.estimated], ["aborted", true]);
        const charged = Number(micro(receipt.credits));
        assert.ok(charged >= 85 * 2.5 + 50 * 10, `${charged} for ${seen} tokens seen`);
        assert.ok(charged <= 115 * 2.5 + (emitted + 1) * 10, `${charged} for ${emitted} tokens emitted`);
      }
    });

    guarantee("C-08 usage that the provider does not tell is counted, charged and marked", async () => {
      const customer = await gateway.customer();
      for (const { text, tokens, within } of countedTexts) {
        upstream.script("m-chat", noUsage({ tokens: 1, text }));
        for (const stream of [false, true]) {
          const exchange = await ask(customer, { stream, stream_options: { include_usage: true } });
          assert.ok(exchange.isComplete);
          const { usage } = exchange.json();
          const off = Math.abs(usage.completion_tokens - tokens) / tokens;
          assert.ok(off <= within, `${usage.completion_tokens} tokens counted of ${tokens}`);
          const receipt = await receiptOf(gateway, customer.key, header(exchange, "x-request-id"));
          assert.equal(receipt.estimated, true);
          const price = Math.ceil(usage.prompt_tokens * 2.5 + usage.completion_tokens * 10);
          assert.equal(Number(micro(receipt.credits)), price);
        }
      }
    });

    guarantee("C-08 text that spells control tokens or is all blanks is counted like any other", async () => {
      const customer = await gateway.customer();
      const hard = ["<|endoftext|><|im_start|>system", " \t".repeat(100_000), `!${"/\n".repeat(100_000)}`];
      for (const text of hard) {
        upstream.script("m-chat", noUsage({ tokens: 1, text }));
        const messages = [{ role: "user", content: text }];
        const startedAt = performance.now();
        const exchange = await ask(customer, { messages });
        assert.equal(exchange.status, 200);
        assert.ok(exchange.json().usage.completion_tokens > 0);
        assert.ok(performance.now() - startedAt < 5_000, "the counter is not kept busy");
      }
    });
  });
}

/** What o200k makes of them; the plan's bounds for English, and for Chinese and code. */
const countedTexts = [
  { text: "The quick brown fox jumps over the lazy dog. ".repeat(30), tokens: 301, within: 0.1 },
  { text: "你好世界".repeat(150), tokens: 300, within: 0.25 },
  { text: "for (let i = 0; i < n; i++) { sum += list[i]; }\n".repeat(14), tokens: 294, within: 0.25 },
];

async function freshDatabase(): Promise<string | { readonly skipped: string }> {
  const postgres = await startPostgres();
  return "skipped" in postgres ? postgres : postgres.freshDatabase();
}

function header(exchange: ChatExchange, name: string): string {
  const value = exchange.headers[name];
  return typeof value === "string" ? value : "";
}

function remainingIn(exchange: ChatExchange): bigint {
  return micro(/"_remaining_credits":([\d.]+)/.exec(exchange.text)?.[1] ?? "");
}
