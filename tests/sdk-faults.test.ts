import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type OpenAI from "openai";
import { status } from "./support/fake-behaviours.ts";
import { startFakeUpstream } from "./support/fake-upstream.ts";
import type { FakeUpstream } from "./support/fake-upstream.ts";
import type { Customer, CustomerWish } from "./support/gateway-api.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";
import { assertAllSettled, clientFor, collected, joined, kits, memberOf, user } from "./support/sdk.ts";
import type { Chunk, Kit } from "./support/sdk.ts";

/** How OpenAI's own SDK, in two majors, meets refusals of ours and failures that the sandbox is ordered to have. */
let gateway: Gateway;
let upstream: FakeUpstream;
before(async () => {
  upstream = await startFakeUpstream();
  gateway = await startGateway({ p1: upstream.baseUrl, p2: upstream.baseUrl });
});
after(async () => {
  await assertAllSettled(gateway);
  assert.equal(await gateway.stop(), 0);
  await upstream.stop();
});

const customer = (wish: CustomerWish = {}): Promise<Customer> => gateway.customer({ mode: "test", ...wish });

/** One model of each wire. */
const models = ["gpt-4o-mini", "claude-4-5-sonnet"] as const;

type ErrorClass = new (...given: never[]) => Error;
type Expected = {
  readonly type: ErrorClass;
  readonly status?: number;
  readonly code: string;
  readonly param?: string | null;
  readonly says?: RegExp;
};

/** An `APIError` of the SDK with our code and a request id. Resolves with it. */
async function refusal(
  promise: Promise<unknown>,
  kit: Kit,
  expected: Expected,
): Promise<InstanceType<typeof OpenAI.APIError>> {
  const error: unknown = await promise.then(
    () => assert.fail("it was answered"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof kit.errors.APIError, String(error));
  assert.ok(error instanceof expected.type, `${error.constructor.name}: ${error.message}`);
  assert.equal(error.code, expected.code);
  assert.equal(error.status, expected.status);
  if (expected.param !== undefined) assert.equal(error.param, expected.param);
  if (expected.says !== undefined) assert.match(error.message, expected.says);
  assert.match(String(memberOf(error.error as object, "request_id")), /^req_/);
  return error;
}

type LastCall = {
  readonly credits: string;
  readonly ending: string;
  readonly reason: string | null;
  readonly estimated: boolean;
};

async function lastCall({ key }: Customer): Promise<LastCall> {
  const { body } = await gateway.get(key, "/v1/usage?period=day");
  return body.recent[0];
}

async function available({ key }: Customer): Promise<string> {
  return (await gateway.get(key, "/v1/balance")).body.available;
}

for (const [name, kit] of Object.entries(kits)) {
  describe(name, () => {
    const ask = (
      { key }: Customer,
      model: string,
      content: string,
      more: Partial<OpenAI.Chat.ChatCompletionCreateParamsNonStreaming> = {},
    ) => clientFor(kit, gateway, key).chat.completions.create({ model, messages: [user(content)], ...more });
    const stream = ({ key }: Customer, model: string, content: string) =>
      clientFor(kit, gateway, key).chat.completions.create({
        model,
        messages: [user(content)],
        stream: true,
      });

    test("a wrong key raises AuthenticationError, before anything else is looked at", async () => {
      const stranger = { accountId: "", keyId: "", key: "sk-test-nobody" };
      const expected = { type: kit.errors.AuthenticationError, status: 401, code: "invalid_api_key" };
      await refusal(ask(stranger, "no-such-model", ""), kit, expected);
      await refusal(clientFor(kit, gateway, stranger.key).models.list(), kit, expected);
    });

    test("an empty balance raises an APIError of status 402 that says what is needed and what is there", async () => {
      const poor = await customer({ credits: "0" });
      const expected = {
        type: kit.errors.APIError,
        status: 402,
        code: "insufficient_balance",
        says: /Insufficient credits/,
      };
      for (const model of models) {
        const error = await refusal(ask(poor, model, "Hello"), kit, expected);
        assert.equal(error.type, "insufficient_balance");
        assert.ok(Number(memberOf(error.error as object, "required_credits")) > 0);
        assert.equal(memberOf(error.error as object, "available_credits"), 0);
        await refusal(stream(poor, model, "Hello"), kit, expected);
      }
    });

    test("an answer that the balance cuts short says so and is charged within it", async () => {
      const poor = await customer({ credits: "0.050000" });
      const answer = await ask(poor, "claude-4-5-sonnet", "[sandbox:tokens-2000] Tell me about rain");
      assert.equal(answer.choices[0]?.finish_reason, "length");
      assert.equal(memberOf(answer, "_limited_by"), "insufficient_balance");
      assert.equal(memberOf(answer, "_balance_warning"), true);
      assert.ok(Number(memberOf(answer, "_remaining_credits")) >= 0);
    });

    test("an unknown model raises NotFoundError with near names", async () => {
      const error = await refusal(ask(await customer(), "gpt-4o-mnii", "Hello"), kit, {
        type: kit.errors.NotFoundError,
        status: 404,
        code: "model_not_found",
        param: "model",
        says: /Did you mean .*gpt-4o-mini/,
      });
      assert.match(error.message, /GET \/v1\/models/);
    });

    test("a model that the key may not call raises PermissionDeniedError", async () => {
      const limited = await customer({ models: ["gpt-4o-mini"] });
      await ask(limited, "openai/gpt-4o-mini", "Hello");
      await refusal(ask(limited, "gpt-4o", "Hello"), kit, {
        type: kit.errors.PermissionDeniedError,
        status: 403,
        code: "model_not_allowed",
        param: "model",
      });
    });

    test("a model that is no chat model raises BadRequestError naming the right address", async () => {
      await refusal(ask(await customer(), "flux-1.1-pro", "Hello"), kit, {
        type: kit.errors.BadRequestError,
        status: 400,
        code: "wrong_endpoint",
        param: "model",
        says: /\/v1\/run/,
      });
    });

    test("a refusal names the model as it was asked for, and what answers in its place in brackets", async () => {
      const wrong = { type: kit.errors.BadRequestError, status: 400, code: "wrong_endpoint" };
      const one = await customer();
      for (const [model, named] of [
        ["dall-e-3", "dall-e-3 (openai/gpt-image-per-image)"],
        ["flux-1.1-pro", "flux-1.1-pro"],
      ] as const) {
        const error = await refusal(ask(one, model, "Hello"), kit, wrong);
        assert.ok(error.message.includes(`${named} is not a chat model`), error.message);
      }
      const image = clientFor(kit, gateway, one.key).images.generate({
        model: "gpt-4o-mini",
        prompt: "Hello",
      });
      assert.match((await refusal(image, kit, wrong)).message, /(?<!openai\/)gpt-4o-mini is not called here/);
    });

    test("too many requests raise RateLimitError with the seconds to wait, and cost nothing", async () => {
      const slow = await customer({ rpm: 1 });
      await ask(slow, "gpt-4o-mini", "Hello");
      const before = await available(slow);
      const error = await refusal(ask(slow, "gpt-4o-mini", "Hello"), kit, {
        type: kit.errors.RateLimitError,
        status: 429,
        code: "rate_limit_exceeded",
      });
      const wait = Number(error.headers?.get("retry-after"));
      assert.ok(Number.isInteger(wait) && wait >= 1 && wait <= 60, String(wait));
      assert.equal(error.headers?.get("x-ratelimit-remaining-requests"), "0");
      assert.equal(await available(slow), before);
    });

    test("too many calls at once raise RateLimitError, and the place is free again afterwards", async () => {
      const narrow = await customer({ concurrent: 1 });
      const running = await stream(narrow, "gpt-4o-mini", "[sandbox:pace-400] Hello");
      await refusal(ask(narrow, "gpt-4o-mini", "Hello"), kit, {
        type: kit.errors.RateLimitError,
        status: 429,
        code: "concurrency_limit_exceeded",
      });
      running.controller.abort();
      await assert.doesNotReject(async () => {
        for (let tries = 0; ; tries += 1) {
          try {
            return await ask(narrow, "gpt-4o-mini", "Hello");
          } catch (error) {
            if (tries === 20) throw error;
            await new Promise((resolve) => setTimeout(resolve, 100));
          }
        }
      });
    });

    test("a request at fault raises BadRequestError with the path of the fault in param", async () => {
      const one = await customer();
      const wrong: readonly (readonly [string, object])[] = [
        ["messages", { messages: [] }],
        ["messages[0].role", { messages: [{ role: "robot", content: "Hi" }] }],
        ["temperature", { temperature: 3 }],
        ["max_tokens", { max_tokens: 0 }],
        ["tools[0].function.name", { tools: [{ type: "function", function: { name: "no spaces" } }] }],
      ];
      for (const [param, more] of wrong) {
        await refusal(ask(one, "gpt-4o-mini", "Hello", more), kit, {
          type: kit.errors.BadRequestError,
          status: 400,
          code: "invalid_request",
          param,
        });
      }
    });

    test("what a model cannot do is refused before its provider is asked, and does not use up the minute", async () => {
      const slow = await customer({ rpm: 1 });
      const expected = { type: kit.errors.BadRequestError, status: 400, code: "invalid_request", param: "n" };
      await refusal(ask(slow, "claude-4-5-sonnet", "Hello", { n: 2 }), kit, expected);
      await refusal(ask(slow, "claude-4-5-sonnet", "Hello", { n: 2 }), kit, expected);
      await ask(slow, "claude-4-5-sonnet", "Hello");
      await refusal(ask(slow, "claude-4-5-sonnet", "Hello"), kit, {
        type: kit.errors.RateLimitError,
        status: 429,
        code: "rate_limit_exceeded",
      });
    });

    test("a live key without a configured provider raises 503 that names the variables to set", async () => {
      const live = await customer({ mode: "live" });
      for (const [model, variable] of [
        ["gpt-4o-mini", "OPENAI_API_KEY"],
        ["claude-4-5-sonnet", "ANTHROPIC_API_KEY"],
        ["gemini-2.5-flash", "GEMINI_API_KEY"],
        ["qwen/qwen-max", "QWEN_API_KEY"],
      ] as const) {
        await refusal(ask(live, model, "Hello"), kit, {
          type: kit.errors.InternalServerError,
          status: 503,
          code: "provider_not_configured",
          says: new RegExp(`of ${model} .*\\b${variable}\\b.* A test key works without\\.`),
        });
      }
      assert.equal(await available(live), "1000.000000");
    });

    test("a provider's trouble with us is 503 with Retry-After, whole and streamed, and never the customer's", async () => {
      for (const model of models) {
        const one = await customer();
        const expected = { type: kit.errors.InternalServerError, status: 503, code: "upstream_unavailable" };
        for (const fault of ["429", "503", "529", "401", "402"]) {
          const prompt = `[sandbox:fault-${fault}] Hello`;
          // One after the other: a refusal that nobody waits for yet would end the test.
          for (const asking of [ask, stream]) {
            const error = await refusal(asking(one, model, prompt), kit, expected);
            const wait = Number(error.headers?.get("retry-after"));
            assert.ok(Number.isInteger(wait) && wait >= 1 && wait <= 60, `${fault}: ${wait}`);
            assert.doesNotMatch(error.message, /sandbox|order/i);
          }
        }
        assert.equal(await available(one), "1000.000000");
        assert.equal((await lastCall(one)).ending, "failed");
      }
    });

    test("a provider that fails or cannot be understood is 502, one that refuses the request 400", async () => {
      for (const model of models) {
        const one = await customer();
        const failed = { type: kit.errors.InternalServerError, status: 502 };
        await refusal(ask(one, model, "[sandbox:fault-500] Hi"), kit, { ...failed, code: "upstream_error" });
        await refusal(ask(one, model, "[sandbox:fault-error] Hi"), kit, {
          ...failed,
          code: "upstream_error",
        });
        await refusal(ask(one, model, "[sandbox:fault-cut] Hi"), kit, { ...failed, code: "upstream_error" });
        await refusal(ask(one, model, "[sandbox:fault-malformed] Hi"), kit, {
          ...failed,
          code: "upstream_invalid_response",
        });
        await refusal(ask(one, model, "[sandbox:fault-400] Hi"), kit, {
          type: kit.errors.BadRequestError,
          status: 400,
          code: "upstream_rejected_request",
        });
        assert.equal(await available(one), "1000.000000");
      }
    });

    test("a prompt longer than the model takes raises BadRequestError that says so, and costs nothing", async () => {
      const one = await customer();
      const expected = {
        type: kit.errors.BadRequestError,
        status: 400,
        code: "context_length_exceeded",
        param: "messages",
        says: /longer than this model takes/,
      };
      // Of one token a word.
      const prompt = (tokens: number): string => "rain ".repeat(tokens);
      for (const [model, tokens] of [
        ["qwen/qwen-max", 33_000],
        ["gpt-4o-mini", 128_100],
        ["claude-haiku-4-5", 200_100],
      ] as const) {
        for (const asking of [ask, stream]) await refusal(asking(one, model, prompt(tokens)), kit, expected);
        const fitting = await ask(one, model, prompt(tokens - 9_000));
        assert.ok((fitting.usage?.prompt_tokens ?? 0) > tokens - 10_000);
      }
      await refusal(ask(one, "qwen/qwen-max", prompt(30_000), { max_tokens: 3_000 }), kit, expected);
      assert.equal((await lastCall(one)).credits, "0.000000");
    });

    test("a stream that breaks off raises after what was delivered, without an end, and costs nothing", async () => {
      const codes = {
        cut: "upstream_error",
        error: /^upstream_(error|unavailable)$/,
        malformed: "upstream_invalid_response",
      } as const;
      for (const model of models) {
        const one = await customer();
        for (const [fault, code] of Object.entries(codes)) {
          const chunks: Chunk[] = [];
          const reading = (async () => {
            for await (const chunk of await stream(one, model, `[sandbox:fault-${fault}] Tell me about rain`))
              chunks.push(chunk);
          })();
          const error: unknown = await reading.then(
            () => assert.fail(`${model} ${fault}: the stream looked complete`),
            (reason: unknown) => reason,
          );
          assert.ok(error instanceof kit.errors.APIError, String(error));
          assert.match(String(error.code), new RegExp(code));
          assert.ok(joined(chunks).text.length > 0, `${model} ${fault}: something was delivered`);
          assert.equal(joined(chunks).finish, null);
          const call = await lastCall(one);
          assert.equal(call.credits, "0.000000");
          assert.equal(call.ending, "failed");
        }
        assert.equal(await available(one), "1000.000000");
      }
    });

    test("an answer that says nothing costs nothing", async () => {
      for (const model of models) {
        const one = await customer();
        const answer = await ask(one, model, "[sandbox:fault-empty] Hello");
        assert.equal(answer.choices[0]?.message.content ?? "", "");
        assert.equal((await lastCall(one)).ending, "empty");
        const chunks = await collected(await stream(one, model, "[sandbox:fault-empty] Hello"));
        assert.equal(joined(chunks).text, "");
        assert.equal(joined(chunks).finish, "stop");
        assert.equal(await available(one), "1000.000000");
      }
    });

    test("an answer without usage is counted here, charged, and marked as estimated", async () => {
      for (const model of models) {
        const one = await customer();
        const told = await ask(one, model, "[sandbox:fault-nousage] Tell me about rain");
        assert.ok((told.usage?.completion_tokens ?? 0) > 5);
        assert.ok((told.usage?.prompt_tokens ?? 0) > 5);
        const whole = await lastCall(one);
        assert.equal(whole.estimated, true);
        assert.equal(whole.ending, "done");
        assert.ok(Number(whole.credits) > 0);
        await collected(await stream(one, model, "[sandbox:fault-nousage] Tell me about rain"));
        const streamed = await lastCall(one);
        assert.equal(streamed.estimated, true);
        assert.equal(streamed.credits, whole.credits, "streamed costs what whole costs");
      }
    });

    test("a client that leaves a stream is charged for part of it at most", async () => {
      for (const model of models) {
        const [leaver, stayer] = [await customer(), await customer()];
        const prompt = "[sandbox:tokens-400] [sandbox:pace-5] Tell me about rain";
        const running = await stream(leaver, model, prompt);
        let seen = 0;
        for await (const _ of running) if ((seen += 1) === 20) break;
        await ask(stayer, model, "[sandbox:tokens-400] Tell me about rain");
        await assertAllSettled(gateway);
        const left = await lastCall(leaver);
        assert.equal(left.ending, "aborted");
        assert.ok(Number(left.credits) > 0);
        assert.ok(Number(left.credits) < Number((await lastCall(stayer)).credits));
      }
    });
  });
}

test("a provider that never answers is 504 within the time set", async () => {
  const [kit] = Object.values(kits);
  assert.ok(kit !== undefined);
  const one = await customer();
  const client = clientFor(kit, gateway, one.key);
  const asked = client.chat.completions.create({
    model: "m-chat",
    messages: [user("[sandbox:fault-hang] Hi")],
  });
  await refusal(asked, kit, { type: kit.errors.InternalServerError, status: 504, code: "upstream_timeout" });
  assert.equal(await available(one), "1000.000000");
});

test("what test calls order the sandbox to do changes nothing for live calls, nor for other test calls", async () => {
  const [tester, live] = [await customer(), await gateway.customer({ mode: "live" })];
  for (let times = 0; times < 3; times += 1) {
    const failed = await gateway.chat(tester.key, {
      model: "m-two",
      messages: [user("[sandbox:fault-429] Hi")],
    });
    assert.equal(failed.status, 503);
    await failed.text();
  }
  for (const { key } of [live, tester]) {
    const answer = await gateway.chat(key, { model: "m-two", messages: [user("Hi")] });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("x-skillboss-model"), "p1/m-two");
    await answer.text();
  }
  assert.equal(upstream.calls("m-two").length, 1, "live calls alone reach the provider");
});

test("test calls reach no provider, and no order in a live prompt is obeyed by us", async () => {
  const live = await gateway.customer({ mode: "live" });
  const answer = await gateway.chat(live.key, {
    model: "m-chat",
    messages: [user("[sandbox:fault-429] Hi")],
  });
  assert.equal(answer.status, 200);
  await answer.text();
  upstream.script("m-free", status(401));
  const one = await customer();
  const sandboxed = await gateway.chat(one.key, { model: "m-free", messages: [user("Hi")] });
  assert.equal(sandboxed.status, 200);
  await sandboxed.text();
  assert.equal(upstream.calls("m-free").length, 0);
});
