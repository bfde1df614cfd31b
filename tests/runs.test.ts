/** Runs as a customer sees them, in test mode: real gateway, real sandbox, over HTTP. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { endsClean } from "./support/clean-end.ts";
import type { Customer } from "./support/gateway-api.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";

let gateway: Gateway;
let customer: Customer;

before(async () => {
  gateway = await startGateway();
  customer = await gateway.customer({ mode: "test" });
});
after(() => endsClean(gateway));

type Answer = {
  readonly status: number;
  // The answers of the API under test: each test asserts the members it reads.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
  readonly headers: Headers;
};

async function run(body: object, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const response = await fetch(`${gateway.url}/v1/run`, {
    method: "POST",
    headers: { authorization: `Bearer ${customer.key}`, "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json(), headers: response.headers };
}

async function available(): Promise<number> {
  return Math.round(Number((await gateway.get(customer.key, "/v1/balance")).body.available) * 1_000_000);
}

test("an image is made, lies at an address that needs no key, and costs its price exactly", async () => {
  const before = await available();
  const answer = await run({ model: "flux-1.1-pro", inputs: { prompt: "A sunset over mountains" } });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  const { body } = answer;
  assert.match(body.id, /^run_[0-9a-f]{32}$/);
  assert.deepEqual([body.model, body.status, body.usage], ["flux-1.1-pro", "completed", { images: 1 }]);
  assert.equal(body.image_url, body.data[0].url);
  assert.equal(body.image_url, body.generated_images[0]);
  const image = await fetch(body.image_url);
  assert.deepEqual([image.status, image.headers.get("content-type")], [200, "image/jpeg"]);
  assert.ok((await image.arrayBuffer()).byteLength > 1_000);
  // 0.10 USD are 2 credits.
  assert.equal(await available(), before - 2_000_000);
  assert.deepEqual(
    [answer.headers.get("x-skillboss-cost"), answer.headers.get("x-skillboss-model"), body._call_cost_usd],
    ["2.000000", "bfl/flux-pro-1.1", 0.1],
  );
  const job = await gateway.get(customer.key, `/v1/job/${body.id}`);
  assert.deepEqual(
    [job.status, job.body.status, job.body.result.image_url],
    [200, "completed", body.image_url],
  );
});

test("an input that is not known is named, with the nearest that is; other usual names are understood", async () => {
  const unknown = await run({ model: "flux-1.1-pro", inputs: { prompt: "x", widht: 512 } });
  assert.deepEqual(
    [unknown.status, unknown.body.error.code, unknown.body.error.param],
    [400, "invalid_request", "inputs.widht"],
  );
  assert.match(unknown.body.error.message, /did you mean width\?/);
  const misspelt = await run({ model: "flux-1.1-pro", inputs: { promt: "x" } });
  assert.match(misspelt.body.error.message, /^inputs\.promt: .*did you mean prompt\?/);
  const missing = await run({ model: "flux-1.1-pro", inputs: {} });
  assert.deepEqual([missing.status, missing.body.error.param], [400, "inputs.prompt"]);
  const other = await run({ model: "flux-1.1-pro", inputs: { text: "A fox", width: "512", height: 256 } });
  assert.deepEqual([other.status, other.body.status], [200, "completed"]);
});

test("a picture of 20 MB in a data URL is taken where pictures are, and refused by name where it goes into an address", async () => {
  const picture = `data:image/png;base64,${"A".repeat(20_000_000)}`;
  const drawn = await run({
    model: "luma/photon-1",
    inputs: { prompt: "A sunset", style_images: [picture] },
  });
  assert.equal(drawn.status, 200, JSON.stringify(drawn.body));
  const before = await available();
  const linked = await run({ model: "scrapecreators/twitch/clip", inputs: { url: picture } });
  assert.deepEqual([linked.status, linked.body.error.param], [400, "inputs.url"]);
  assert.equal(await available(), before);
});

test("asked to answer at once it answers with a job, whose events and result are there for whoever asks", async () => {
  const before = await available();
  const accepted = await run({
    model: "flux-1.1-pro",
    inputs: { prompt: "A fox [sandbox:job-ms-600]" },
    async: true,
  });
  assert.equal(accepted.status, 202);
  const { job_id: id, poll_url: pollUrl } = accepted.body;
  assert.equal(pollUrl, `${gateway.url}/v1/job/${id}`);
  assert.ok((await available()) < before, "credits are held meanwhile");
  const events = await followed(id);
  assert.deepEqual([events.at(0)?.name, events.at(-1)?.name], ["accepted", "completed"]);
  const told = events
    .filter((event) => event.name === "progress")
    .map((event) => Number(event.data.progress));
  assert.deepEqual(
    told,
    told.toSorted((one, other) => one - other),
  );
  assert.equal(events.at(-1)?.data.result.image_url.startsWith("http"), true);
  const again = await followed(id, events.length - 1);
  assert.deepEqual(
    again.map((event) => event.name),
    ["completed"],
  );
  const listed = await gateway.get(customer.key, "/v1/job?status=completed&limit=1");
  assert.equal(listed.body.jobs[0].id, id);
  assert.equal(await available(), before - 2_000_000);
});

type Event = {
  readonly name: string;
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly data: any;
};

/** The events of a run to their end. */
async function followed(id: string, lastEventId = 0): Promise<readonly Event[]> {
  const response = await fetch(`${gateway.url}/v1/run/${id}/events`, {
    headers: { authorization: `Bearer ${customer.key}`, "last-event-id": String(lastEventId) },
  });
  assert.equal(response.status, 200);
  return (await response.text())
    .split("\n\n")
    .filter((frame) => frame.includes("data: "))
    .map((frame) => ({
      name: /^event: (.*)$/m.exec(frame)?.[1] ?? "",
      data: JSON.parse(/^data: (.*)$/m.exec(frame)?.[1] ?? "null"),
    }));
}

test("a wait that is too short becomes a job, and the job ends by itself", async () => {
  const answer = await run(
    { model: "flux-1.1-pro", inputs: { prompt: "A fox [sandbox:job-ms-1500]" } },
    { prefer: "wait=1" },
  );
  assert.deepEqual([answer.status, answer.body.status], [202, "accepted"]);
  const [last] = (await followed(answer.body.job_id)).slice(-1);
  assert.equal(last?.name, "completed");
});

test("what the provider cannot do, or refuses, costs nothing and is told in our words", async () => {
  const before = await available();
  const failed = await run({ model: "flux-1.1-pro", inputs: { prompt: "A fox [sandbox:job-fail]" } });
  assert.deepEqual([failed.status, failed.body.error.code], [502, "run_failed"]);
  assert.match(failed.body.error.run_id, /^run_/);
  const busy = await run({ model: "flux-1.1-pro", inputs: { prompt: "A fox [sandbox:fault-429]" } });
  assert.deepEqual([busy.status, busy.body.error.code], [503, "upstream_unavailable"]);
  const refused = await run({ model: "flux-1.1-pro", inputs: { prompt: "A fox [sandbox:fault-400]" } });
  assert.deepEqual([refused.status, refused.body.error.code], [400, "upstream_rejected_request"]);
  const cut = await run({ model: "flux-1.1-pro", inputs: { prompt: "A fox [sandbox:fault-cut]" } });
  assert.deepEqual([cut.status, cut.body.error.code], [502, "outcome_unknown"]);
  assert.equal(await available(), before);
  const audit = await gateway.admin("POST", "/audit");
  assert.deepEqual([audit.body.ok, audit.body.open_holds], [true, 0]);
});

test("a run that waits at its provider can be called off, once, at no charge", async () => {
  const before = await available();
  const accepted = await run({
    model: "flux-1.1-pro",
    inputs: { prompt: "A fox [sandbox:job-never]" },
    async: true,
  });
  const id = accepted.body.job_id;
  const path = `${gateway.url}/v1/run/${id}/cancel`;
  const init = { method: "POST", headers: { authorization: `Bearer ${customer.key}` } };
  let canceled = await fetch(path, init);
  // It may be on its way to the provider still.
  while (canceled.status === 409) canceled = await fetch(path, init);
  assert.equal(canceled.status, 200);
  const [events, again] = [await followed(id), await fetch(path, init)];
  assert.equal(events.at(-1)?.name, "canceled");
  assert.equal(((await again.json()) as { status: string }).status, "canceled");
  assert.equal(await available(), before);
});

test("a chat model answers on the same door, whole and streamed", async () => {
  const whole = await run({
    model: "gpt-4o-mini",
    inputs: { messages: [{ role: "user", content: "Hello" }], max_tokens: 20 },
  });
  assert.equal(whole.status, 200);
  assert.equal(typeof whole.body.choices[0].message.content, "string");
  const response = await fetch(`${gateway.url}/v1/run`, {
    method: "POST",
    headers: { authorization: `Bearer ${customer.key}`, "content-type": "application/json" },
    body: JSON.stringify({
      model: "gpt-4o-mini",
      stream: true,
      inputs: { messages: [{ role: "user", content: "Hello" }], max_tokens: 20 },
    }),
  });
  assert.match(response.headers.get("content-type") ?? "", /^text\/event-stream/);
  assert.match(await response.text(), /data: \[DONE\]/);
});

test("another account's run is told as one that does not exist", async () => {
  const made = await run({ model: "flux-1.1-pro", inputs: { prompt: "mine" } });
  const stranger = await gateway.customer({ mode: "test" });
  for (const path of [
    `/v1/job/${made.body.id}`,
    `/v1/run/${made.body.id}`,
    `/v1/run/${made.body.id}/events`,
  ]) {
    const theirs = await gateway.get(stranger.key, path);
    const nobodys = await gateway.get(stranger.key, path.replace(/run_[0-9a-f]+/, `run_${"0".repeat(32)}`));
    assert.equal(theirs.status, 404);
    assert.deepEqual({ ...theirs.body.error, request_id: "" }, { ...nobodys.body.error, request_id: "" });
  }
});

test("credits that do not pay for a run are told before anybody is asked", async () => {
  const poor = await gateway.customer({ mode: "test", credits: "1.00" });
  const response = await fetch(`${gateway.url}/v1/run`, {
    method: "POST",
    headers: { authorization: `Bearer ${poor.key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "flux-1.1-pro", inputs: { prompt: "A fox" } }),
  });
  const { error } = (await response.json()) as { error: Record<string, unknown> };
  assert.deepEqual(
    [response.status, error["code"], error["required_credits"], error["available_credits"]],
    [402, "insufficient_balance", 2, 1],
  );
});

test("the same Idempotency-Key is one run and one charge; another body is refused", async () => {
  const before = await available();
  const headers = { "idempotency-key": "order-1" };
  const body = { model: "flux-1.1-pro", inputs: { prompt: "One fox" } };
  const first = await run(body, headers);
  const again = await run(body, headers);
  assert.deepEqual([first.status, again.status], [200, 200]);
  assert.equal(again.body.id, first.body.id);
  assert.equal(again.headers.get("idempotent-replayed"), "true");
  const other = await run({ ...body, inputs: { prompt: "Two foxes" } }, headers);
  assert.deepEqual([other.status, other.body.error.code], [422, "idempotency_key_reused"]);
  assert.equal(await available(), before - 2_000_000);
});
