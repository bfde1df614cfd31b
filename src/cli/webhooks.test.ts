import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startFakeApi } from "../client/fake-api.ts";
import type { FakeApi } from "../client/fake-api.ts";
import type { WholeDeliveryAnswer } from "../client/webhook-client.ts";
import { run } from "./cli-runner.test-support.ts";
import type { Ran } from "./cli-runner.test-support.ts";

const delivery: WholeDeliveryAnswer = {
  id: "msg_1",
  run_id: "run_1",
  url: "https://example.com/hook",
  state: "given_up",
  tries: 15,
  last_status: 500,
  last_fault: "status",
  created_at: "2026-11-24T03:41:07.123Z",
  next_try_at: null,
  delivered_at: null,
  body: '{"type":"run.completed","data":{"note":"\u001b[2J"}}',
};

const waiting = {
  ...delivery,
  id: "msg_2",
  state: "waiting",
  tries: 1,
  last_status: null,
  last_fault: "timeout",
  next_try_at: "2026-11-25T03:41:07.123Z",
};

const secret = {
  mode: "test",
  secret: "whsec_c2VjcmV0",
  generation: 2,
  replaced: [{ generation: 1, signs_until: "2026-11-25T03:41:07.123Z" }],
};

const error = { message: "There is no such delivery.", code: "not_found", param: null };

let api: FakeApi;
before(async () => {
  api = await startFakeApi({
    "GET /v1/webhooks/deliveries": ({ path }) => ({
      body: {
        object: "list",
        data: path.includes("refused") ? [] : [waiting, delivery],
        has_more: path.includes("limit=2"),
      },
    }),
    "GET /v1/webhooks/deliveries/msg_1": { body: delivery },
    "GET /v1/webhooks/deliveries/msg_9": { status: 404, body: { error } },
    "POST /v1/webhooks/deliveries/msg_1/replay": { status: 202, body: waiting },
    "GET /v1/webhooks/secret": { body: secret },
    "POST /v1/webhooks/secret/rotate": { body: secret },
  });
});
after(() => api.close());

function webhooks(...words: readonly string[]): Promise<Ran> {
  return run(["webhooks", ...words], { environment: { url: api.url, apiKey: "sk-test-x" } });
}

const commands = [["list"], ["show", "msg_1"], ["replay", "msg_1"], ["secret"], ["rotate"]];

test("Every webhooks command has a help screen with examples, and the group lists them and the promise.", async () => {
  for (const [command = ""] of commands) {
    const { exitCode, output, errors } = await webhooks(command, "--help");
    assert.deepEqual([exitCode, errors], [0, ""], command);
    assert.match(output, /Examples?:\n {2}\S/, command);
    assert.match(output, /--key <key>/, command);
  }
  const { output } = await webhooks("--help");
  for (const [command = ""] of commands) assert.match(output, new RegExp(`^  ${command}\\b`, "m"));
  assert.match(output, /at least 8 times, over at least 24 hours/);
});

test("Every webhooks command ends with 0, speaks to people, and with --json writes the API's answer.", async () => {
  for (const words of commands) {
    const plain = await webhooks(...words);
    assert.deepEqual([plain.exitCode, plain.errors], [0, ""], words.join(" "));
    assert.match(plain.output, /\S.*\n$/s);
    assert.doesNotMatch(plain.output, /undefined|null|NaN|\[object|^\{/, words.join(" "));
    const json = await webhooks(...words, "--json");
    assert.deepEqual([json.exitCode, json.errors], [0, ""]);
    assert.equal(typeof JSON.parse(json.output), "object");
  }
});

test("A list shows state, tries, the last answer and the next try, and how to go on.", async () => {
  const { output } = await webhooks("list", "--limit", "2", "--state", "waiting");
  assert.match(
    output,
    /^msg_2 +waiting +1 +timeout +2026-11-25 03:41:07 +run_1 +https:\/\/example\.com\/hook$/m,
  );
  assert.match(output, /^msg_1 +given_up +15 +500 \(status\) +run_1/m);
  assert.match(output, /skillboss webhooks list --after msg_1\n$/);
  assert.equal(api.asked.at(-1)?.path, "/v1/webhooks/deliveries?state=waiting&limit=2");
  assert.match((await webhooks("list", "--state", "refused")).output, /^No messages are refused/);
});

test("A message is shown with its text, which cannot move the terminal.", async () => {
  const environment = { url: api.url, apiKey: "sk-x" };
  const { output } = await run(["webhooks", "show", "msg_1"], { environment, isTerminal: true });
  assert.match(output, /run\.completed/);
  assert.ok(!output.includes("\u001b"));
  assert.ok((await webhooks("show", "msg_1")).output.includes(delivery.body));
});

test("A secret is shown with what still signs beside it.", async () => {
  const { output } = await webhooks("rotate");
  assert.match(output, /whsec_c2VjcmV0[^]*Standard Webhooks/);
  assert.match(output, /generation 1, until 2026-11-25 03:41:07 UTC/);
});

test("An unknown delivery ends with 1, wrong use with 2, without a key with 2.", async () => {
  const unknown = await webhooks("show", "msg_9");
  assert.deepEqual([unknown.exitCode, unknown.output], [1, ""]);
  assert.match(unknown.errors, /There is no such delivery\.[^]*not_found/);
  for (const words of [[], ["frob"], ["show"], ["list", "--state", "lost"], ["list", "--limit", "0"]])
    assert.equal((await webhooks(...words)).exitCode, 2, words.join(" "));
  const keyless = await run(["webhooks", "list"], { environment: { url: api.url } });
  assert.equal(keyless.exitCode, 2);
  assert.match(keyless.errors, /API key/);
});
