/** Cases C-01 to C-04 and C-06 to C-08 of the test plan. */
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { chatToEnd, hello, startChat } from "./support/chat-exchange.ts";
import type { ChatExchange } from "./support/chat-exchange.ts";
import { noUsage, ok } from "./support/fake-behaviours.ts";
import { endsClean } from "./support/clean-end.ts";
import { jobCatalog, startFakeJobs, unitCost } from "./support/fake-jobs.ts";
import type { FakeJobs } from "./support/fake-jobs.ts";
import { eventually, startFakeUpstream } from "./support/fake-upstream.ts";
import type { FakeUpstream } from "./support/fake-upstream.ts";
import type { Customer } from "./support/gateway-api.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";
import { micro, quietAudit, trailOf } from "./support/money-trail.ts";
import type { Line } from "./support/money-trail.ts";
import { isWholePlan, planned } from "./support/plan-scale.ts";
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

/** What `npm test` shows on the first home only. */
const isShownOn = (home: (typeof homes)[number]): boolean => isWholePlan || home === homes[0];

for (const home of homes) {
  suite(`on ${home}`, () => {
    let upstream: FakeUpstream;
    let jobs: FakeJobs;
    let gateway: Gateway;
    let skipped: string | undefined;

    before(async () => {
      const databaseUrl = home === "PostgreSQL" ? await freshDatabase() : undefined;
      if (typeof databaseUrl === "object") {
        skipped = databaseUrl.skipped;
        return;
      }
      upstream = await startFakeUpstream();
      jobs = await startFakeJobs();
      gateway = await startGateway({
        p1: upstream.baseUrl,
        a1: upstream.origin,
        databaseUrl,
        moreFiles: jobCatalog,
        environment: { R1_API_KEY: "secret-r1", R1_BASE_URL: jobs.url },
        moreModels: { "m-odd": perMillion(oddPrices), "m-fix": perMillion(fixedPrices) },
      });
    });

    after(async () => {
      if (skipped === undefined) {
        await endsClean(gateway, upstream, jobs);
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

    if (isShownOn(home)) {
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

      guarantee(
        "C-01 random charges add up to the change of the balance, and no number has a float's tail",
        async () => {
          upstream.script("m-odd", reportsAsTold());
          const customer = await gateway.customer({ credits: "1000.00" });
          const random = seededRandom(1);
          const count = (most: number) => Math.floor(random() ** 3 * most);
          const charges = Array.from({ length: planned({ whole: 10_000, quick: 320 }) }, (): ToldUsage => ({
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
        const told = new Map<string, bigint>();
        for (let call = 1; call <= 50; call += 1) {
          const exchange = await ask(customer, { stream: call % 2 === 0 });
          const spent = 48n * BigInt(call);
          assert.equal(remainingIn(exchange), 20_000_000n - spent);
          told.set(exchange.callId, remainingIn(exchange));
          const { body: balance } = await gateway.get(customer.key, "/v1/balance");
          assert.equal(micro(balance.available), 20_000_000n - spent);
          assert.equal(balance.held, "0.000000");
          const { body: usage } = await gateway.get(customer.key, "/v1/usage");
          assert.equal(micro(usage.total.credits), spent);
        }
        const trail = await trailOf(gateway, customer.accountId);
        assert.equal(trail.available, 20_000_000n - 48n * 50n);
        assert.equal(trail.calls.size, 50);
        assert.deepEqual(balancesAfterCalls(trail.lines), told);
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
        "C-04 without credits a chat, a stream, a run and a job are a quick 402 in JSON that nobody upstream hears of",
        async () => {
          const customer = await gateway.customer({ credits: "0" });
          const [known, times] = [upstream.log.length, [] as number[]];
          const chat = { model: "m-chat", messages: hello };
          const asks = [
            ["/v1/chat/completions", chat],
            ["/v1/chat/completions", { ...chat, stream: true }],
            ["/v1/run", { model: "m-run", inputs: {} }],
            ["/v1/run", { model: "m-job", inputs: {}, async: true }],
          ] as const;
          for (let round = 0; round < planned({ whole: 500, quick: 30 }); round += 1) {
            for (const [path, body] of asks) {
              const startedAt = performance.now();
              const response = await post(customer, path, body);
              const { error } = JSON.parse(await response.text());
              times.push(performance.now() - startedAt);
              assert.equal(response.status, 402);
              assert.match(response.headers.get("content-type") ?? "", /^application\/json/);
              assert.deepEqual([error.type, error.code], ["insufficient_balance", "insufficient_balance"]);
              assert.equal(error.available_credits, 0);
              assert.ok(error.required_credits > 0);
              assert.equal(response.headers.get("x-skillboss-cost"), "0.000000");
            }
          }
          assert.equal(upstream.log.length, known);
          assert.equal(jobs.submissions.length, 0);
          assert.deepEqual((await trailOf(gateway, customer.accountId)).lines, []);
          // The plan means 99 of 100; while other files of tests run, half of them say as much.
          const share = planned({ whole: 0.99, quick: 0.5 });
          const bound = times.toSorted((a, b) => a - b)[Math.floor(times.length * share)] ?? Infinity;
          assert.ok(bound < 50, `${share} of the refusals took up to ${bound} ms`);
        },
      );

      // What limits such aborts is the key's own minute.
      guarantee("C-07 leaving before the first token costs nothing but the minute", async () => {
        upstream.script("m-chat", ok({ afterMs: 2_000 }));
        const leaves = planned({ whole: 200, quick: 20 });
        const customer = await gateway.customer({ credits: "1.00", rpm: leaves });
        for (let left = 0; left < leaves; left += 20) await twentyLeave(customer);
        assert.equal((await ask(customer, {})).json().error.code, "rate_limit_exceeded");
        await quietAudit(gateway);
        const trail = await trailOf(gateway, customer.accountId);
        assert.equal(trail.available, 1_000_000n);
        assert.equal(trail.calls.size, leaves);
        for (const call of trail.calls.values()) assert.deepEqual(call.kinds, ["hold", "release"]);
        const { body } = await gateway.get(customer.key, "/v1/usage");
        for (const call of body.recent)
          assert.deepEqual([call.ending, call.credits], ["aborted", "0.000000"]);
      });

      const twentyLeave = async (customer: Customer): Promise<void> => {
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
      };
    }

    const post = (customer: Customer, path: string, body: object): Promise<Response> =>
      fetch(gateway.url + path, {
        method: "POST",
        headers: { authorization: `Bearer ${customer.key}`, "content-type": "application/json" },
        body: JSON.stringify(body),
      });

    /** The customer's own key, and three more. */
    const fourKeys = async (customer: Customer): Promise<readonly Customer[]> => {
      const keys = [customer];
      while (keys.length < 4) {
        const made = await gateway.admin("POST", `/accounts/${customer.accountId}/keys`, { mode: "live" });
        keys.push({ ...customer, key: made.body.key });
      }
      return keys;
    };

    guarantee("C-02 a balance for ten calls pays for exactly ten of two hundred at once", async () => {
      upstream.script("m-fix", ok({ tokens: callTokens, afterMs: 20 }));
      const chats = await gateway.customer({ credits: "1.00" });
      await onlyTenOfTwoHundred(chats, (customer, index) =>
        ask(customer, { model: "m-fix", max_tokens: callTokens, stream: index % 8 < 4 }),
      );
      assert.equal(upstream.calls("m-fix").length, 10);

      const known = jobs.submissions.length;
      const runs = await gateway.customer({ credits: String(Number(unitCost * 10n) / 1e6) });
      await onlyTenOfTwoHundred(runs, async (customer) => {
        const response = await post(customer, "/v1/run", { model: "m-run", inputs: {} });
        await response.text();
        return response;
      });
      assert.equal(jobs.submissions.length - known, 10);
    });

    const onlyTenOfTwoHundred = async (
      customer: Customer,
      call: (customer: Customer, index: number) => Promise<{ readonly status: number }>,
    ): Promise<void> => {
      const keys = await fourKeys(customer);
      const calls = Array.from({ length: 200 }, (_, index) => call(keys[index % 4] ?? customer, index));
      const statuses = (await Promise.all(calls)).map(({ status }) => status);
      assert.equal(statuses.filter((status) => status === 200).length, 10);
      assert.equal(statuses.filter((status) => status === 402).length, 190);
      const { body } = await gateway.get(customer.key, "/v1/balance");
      assert.deepEqual([body.available, body.held], ["0.000000", "0.000000"]);
      const trail = await trailOf(gateway, customer.accountId);
      assert.equal(trail.calls.size, 10, "a refused call leaves no line");
    };

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
        const writtenAfterMs = performance.now() - leftAt;
        // Counting begins with loading the tokenizer, which takes seconds while other files of tests run.
        if (isWholePlan) assert.ok(writtenAfterMs < 2_000, `closed in the ledger after ${writtenAfterMs} ms`);
        return { receipt, seen: exchange.deltas, emitted: record()?.tokens ?? 0 };
      });
      const left = await Promise.all(runs);
      for (const customer of customers)
        assert.equal((await gateway.get(customer.key, "/v1/balance")).body.held, "0.000000");
      for (const { receipt, seen, emitted } of left) {
        assert.deepEqual([receipt.ending, receipt.estimated], ["aborted", true]);
        const charged = Number(micro(receipt.credits));
        assert.ok(charged >= 85 * 2.5 + 50 * 10, `${charged} for ${seen} tokens seen`);
        assert.ok(charged <= 115 * 2.5 + (emitted + 1) * 10, `${charged} for ${emitted} tokens emitted`);
      }
    });

    guarantee("C-08 usage that the provider does not tell is counted, charged and marked", async () => {
      const customer = await gateway.customer();
      for (const { pieces, repeated, tokens, within } of countedTexts) {
        const whole = pieces.join("").repeat(repeated);
        for (const [model, stream, plan] of [
          ["m-chat", false, { tokens: 1, text: whole }],
          ["m-chat", true, { tokens: 1, text: whole }],
          ["m-chat", true, { tokens: pieces.length * repeated, text: pieces }],
          ["m-claude", false, { tokens: 1, text: whole }],
          ["m-claude", true, { tokens: pieces.length * repeated, text: pieces }],
        ] as const) {
          upstream.script(model, noUsage(plan));
          const exchange = await ask(customer, { model, stream, stream_options: { include_usage: true } });
          assert.ok(exchange.isComplete);
          const { usage } = exchange.json();
          const off = Math.abs(usage.completion_tokens - tokens) / tokens;
          assert.ok(off <= within, `${model}: ${usage.completion_tokens} tokens counted of ${tokens}`);
          if (stream) assert.deepEqual(exchange.json().choices, []);
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

/** The deltas, and what o200k makes of all together; the plan's bounds for English, and for Chinese and code. */
const countedTexts = [
  {
    pieces: "The quick brown fox jumps over the lazy dog. ".split(/(?=[A-Z ]|\. )/),
    ...{ repeated: 30, tokens: 301, within: 0.1 },
  },
  { pieces: ["你好", "世界"], repeated: 150, tokens: 300, within: 0.25 },
  {
    pieces: "for (let i = 0; i < n; i++) { sum += list[i]; }\n".split(/(?= )|(?<=\()|(?=[[\];)])/),
    ...{ repeated: 14, tokens: 294, within: 0.25 },
  },
];

/** What was available after the end of each call. */
function balancesAfterCalls(lines: readonly Line[]): ReadonlyMap<string, bigint> {
  const after = new Map<string, bigint>();
  let available = 0n;
  for (const line of lines) {
    if (line.book === "available") available += micro(line.amount);
    if (line.call_id !== null) after.set(line.call_id, available);
  }
  return after;
}

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
