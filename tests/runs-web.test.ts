/** Web search, scraping, contacts and social data as a customer gets them in test mode: shape, meters, exact price. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { loadCatalog } from "../src/catalog/load.ts";
import type { Endpoint } from "../src/core/endpoint.ts";
import type { RunModel } from "../src/core/model.ts";
import { compileEndpoint } from "../src/providers/declared/compile-endpoint.ts";
import { endsClean } from "./support/clean-end.ts";
import type { Customer } from "./support/gateway-api.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";

let gateway: Gateway;
before(async () => {
  gateway = await startGateway();
});
after(() => endsClean(gateway));

type Answer = {
  readonly status: number;
  // The answers of the API under test: each test asserts the members it reads.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
  readonly cost: string | null;
};

async function run(customer: Customer, model: string, inputs: object, more: object = {}): Promise<Answer> {
  const response = await fetch(`${gateway.url}/v1/run`, {
    method: "POST",
    headers: { authorization: `Bearer ${customer.key}`, "content-type": "application/json" },
    body: JSON.stringify({ model, inputs, ...more }),
  });
  return {
    status: response.status,
    body: await response.json(),
    cost: response.headers.get("x-skillboss-cost"),
  };
}

const payer = (credits = "1000.00"): Promise<Customer> => gateway.customer({ mode: "test", credits });

async function spent({ key }: Customer, of = 1000): Promise<number> {
  const { body } = await gateway.get(key, "/v1/balance");
  assert.equal(body.held, "0.000000");
  return Math.round((of - Number(body.available)) * 1e6) / 1e6;
}

type Case = {
  readonly model: string;
  readonly inputs: object;
  readonly usage: Readonly<Record<string, number>>;
  /** Credits of 0.05 USD. */
  readonly cost: string;
  readonly check: (body: Answer["body"]) => void;
};

const url = "https://example.com/wind-power";
const query = "Wind power in Norway";

function areResults(results: Answer["body"], count: number): void {
  assert.equal(results.length, count);
  for (const { title, url: address, content } of results)
    assert.ok(title !== "" && URL.canParse(address) && content.length > 10);
}

const cases: readonly Case[] = [
  {
    model: "tavily/search",
    inputs: { query, max_results: 4, include_answer: true, include_images: true },
    usage: { requests: 1 },
    cost: "0.160000",
    check({ results, answer, image_results: pictures, image_url: picture }) {
      areResults(results, 4);
      assert.ok(answer.length > 20 && URL.canParse(pictures[0]));
      assert.equal(picture, undefined, "pictures among results are not the result");
    },
  },
  {
    model: "tavily/search",
    inputs: { q: query, searchDepth: "advanced", limit: 3 },
    usage: { requests: 2 },
    cost: "0.320000",
    check: ({ results }) => areResults(results, 3),
  },
  {
    model: "tavily/extract",
    inputs: {
      urls: [url, "https://example.com/tides", "https://nowhere.invalid/"],
      extract_depth: "advanced",
    },
    usage: { pages: 4 },
    cost: "0.128000",
    check({ results, failed, markdown, data }) {
      areResults(results, 2);
      assert.deepEqual(failed[0].url, "https://nowhere.invalid/");
      assert.ok(markdown.startsWith("# Wind power") && data.markdown === markdown);
    },
  },
  {
    model: "tavily/map",
    inputs: { url, limit: 12, instructions: "Only the blog" },
    usage: { pages: 24 },
    cost: "0.384000",
    check: ({ links }) => assert.ok(links.length === 12 && links.every((link: string) => URL.canParse(link))),
  },
  {
    model: "tavily/crawl",
    inputs: { url, limit: 5 },
    usage: { pages: 5 },
    cost: "0.240000",
    check: ({ pages, total }) => assert.ok(total === 5 && pages[4].markdown.startsWith("# ")),
  },
  {
    model: "exa/search",
    inputs: { query, numResults: 12, summary: true, highlights: true },
    usage: { requests: 1, results: 2, pages: 12 },
    cost: "0.420000",
    check({ results }) {
      areResults(results, 12);
      assert.ok(results[0].summary.length > 10 && results[0].highlights.length > 0);
    },
  },
  {
    model: "exa/search-deep",
    inputs: { query, num_results: 3 },
    usage: { requests: 1, results: 0, pages: 0 },
    cost: "0.300000",
    check: ({ results }) => areResults(results, 3),
  },
  {
    model: "exa/find-similar",
    inputs: { url, num_results: 3, exclude_source_domain: true },
    usage: { requests: 1, results: 0, pages: 0 },
    cost: "0.140000",
    check: ({ results }) => areResults(results, 3),
  },
  {
    model: "exa/contents",
    inputs: { urls: [url, "https://nowhere.invalid/"], summary: true },
    usage: { pages: 2 },
    cost: "0.040000",
    check({ results, failed, markdown, data }) {
      areResults(results, 1);
      assert.deepEqual(failed, [{ url: "https://nowhere.invalid/", error: "CRAWL_NOT_FOUND" }]);
      assert.equal(data.markdown, markdown);
    },
  },
  {
    model: "exa/answer",
    inputs: { query: "Why do tides differ?", text: true },
    usage: { requests: 1 },
    cost: "0.100000",
    check({ answer, results }) {
      assert.ok(answer.length > 20);
      areResults(results, 4);
    },
  },
  {
    model: "perplexity/search",
    inputs: { messages: [{ role: "user", content: query }], max_results: 6 },
    usage: { requests: 1 },
    cost: "0.100000",
    check: ({ results }) => areResults(results, 6),
  },
  {
    model: "google-search",
    inputs: { prompt: query, country: "no", num: 20 },
    usage: { requests: 2 },
    cost: "0.040000",
    check({ results, knowledge_graph: graph, related_searches: related }) {
      areResults(results, 20);
      assert.ok(graph.title !== "" && related.every((one: unknown) => typeof one === "string"));
    },
  },
  {
    model: "serper/images",
    inputs: { query },
    usage: { requests: 1 },
    cost: "0.020000",
    check({ results, image_url: picture }) {
      assert.ok(results.length === 10 && URL.canParse(results[0].image_url) && picture === undefined);
    },
  },
  {
    model: "serper/maps",
    inputs: { query: "coffee" },
    usage: { requests: 3 },
    cost: "0.060000",
    check: ({ results }) => assert.ok(results[0].address !== "" && results[0].latitude > 52),
  },
  {
    model: "serper/shopping",
    inputs: { query: "coffee" },
    usage: { requests: 2 },
    cost: "0.040000",
    check: ({ results }) => assert.match(results[0].price, /^\$\d+\.99$/),
  },
  {
    model: "hunter/domain-search",
    inputs: { domain: "example.com", limit: 12 },
    usage: { requests: 2 },
    cost: "0.980000",
    check: ({ data }) => assert.ok(data.emails.length > 10 && data.emails[0].value.endsWith("@example.com")),
  },
  {
    model: "hunter/email-finder",
    inputs: { company: "Example", full_name: "Ada Lovelace" },
    usage: { requests: 1 },
    cost: "0.490000",
    check: ({ data }) => assert.equal(data.email, "ada.lovelace@example.com"),
  },
  {
    model: "hunter/email-verifier",
    inputs: { email: "slow.ada@example.com" },
    usage: { requests: 1 },
    cost: "0.245000",
    check: ({ data }) => assert.deepEqual([data.status, data.email], ["valid", "slow.ada@example.com"]),
  },
];

suite("the result has the members that clients read, and costs exactly its price", { concurrency: 4 }, () => {
  for (const { model, inputs, usage, cost, check } of cases) {
    test(`${model} ${JSON.stringify(usage)}`, async () => {
      const customer = await payer();
      const answer = await run(customer, model, inputs);
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      assert.deepEqual([answer.body.usage, answer.body.usage_estimated], [usage, undefined]);
      check(answer.body);
      assert.equal(answer.cost, cost);
      assert.equal(await spent(customer), Number(cost));
    });
  }
});

test("Sonar answers in the form of a chat, with its sources; so does Sonar Pro, which has ended", async () => {
  const customer = await payer();
  const asked = { messages: [{ role: "user", content: "Why do tides differ?" }], max_tokens: 200 };
  const { status, body, cost } = await run(customer, "perplexity/sonar-pro", asked);
  assert.deepEqual([status, body.model], [200, "perplexity/sonar-pro"], JSON.stringify(body));
  const [choice] = body.choices;
  assert.deepEqual([choice.message.role, choice.finish_reason], ["assistant", "stop"]);
  assert.match(choice.message.content, /\[1\]\[2\]\[3\]$/);
  areResults(body.results, 5);
  assert.deepEqual(
    body.citations,
    body.results.map((result: { url: string }) => result.url),
  );
  const { input_tokens: read, output_tokens: written, searches } = body.usage;
  assert.ok(read > 20 && written > 20 && searches === 1);
  // In micro-credits: 0.25 and 2.5 USD per million tokens, 0.005 USD per search.
  assert.equal(Number(cost), (read * 5 + written * 50 + 100_000) / 1e6);
  const short = await run(customer, "perplexity/sonar", { query: "Tides?", max_tokens: 16, max_searches: 0 });
  assert.deepEqual(
    [short.body.choices[0].finish_reason, short.body.usage.searches, short.body.usage.output_tokens],
    ["length", 0, 16],
  );
});

test("an actor is charged what it cost, never more than it may; the most is held meanwhile", async () => {
  const customer = await payer("3.00");
  const inputs = { actor: "apify~web-scraper", input: { query: "coffee", maxItems: 7 } };
  const short = await run(customer, "apify/run-actor", { ...inputs, max_total_charge_usd: 0.2 });
  assert.deepEqual([short.status, short.body.error.required_credits], [402, 4]);
  const made = await run(customer, "apify/run-actor", { ...inputs, max_total_charge_usd: 0.1 });
  assert.equal(made.status, 200, JSON.stringify(made.body));
  assert.deepEqual([made.body.usage, made.cost], [{ upstream_usd: 0.019 }, "0.380000"]);
  assert.deepEqual([made.body.items.length, made.body.total, made.body.run.status], [7, 7, "SUCCEEDED"]);
  const capped = { input: { searches: ["coffee"], maxItems: 50 }, max_total_charge_usd: 0.01 };
  const cut = await run(customer, "apify/reddit-scraper", capped);
  assert.deepEqual([cut.body.items.length, cut.cost], [2, "0.180000"]);
  const silent = { input: { query: "coffee [sandbox:fault-nousage]" }, max_total_charge_usd: 0.05 };
  const told = await run(customer, "apify/instagram-scraper", silent);
  assert.deepEqual([told.status, told.cost], [200, "0.300000"], "polls are not silent");
  assert.equal(await spent(customer, 3), 0.86);
});

test("an actor that fails, or is called off, costs nothing", async () => {
  const customer = await payer();
  const actor = "apify~web-scraper";
  const failed = await run(customer, "apify/run-actor", { actor, input: { query: "[sandbox:job-fail]" } });
  assert.deepEqual([failed.status, failed.body.error.code], [502, "run_failed"]);
  const unknown = await run(customer, "apify/run-actor", { actor: "apify~missing" });
  assert.deepEqual([unknown.status, unknown.body.error.code], [400, "upstream_rejected_request"]);
  const slash = await run(customer, "apify/run-actor", { actor: "apify/web-scraper" });
  assert.deepEqual([slash.status, slash.body.error.param], [400, "inputs.actor"]);
  const endless = { actor, input: { query: "[sandbox:job-never]" } };
  const accepted = await run(customer, "apify/run-actor", endless, { async: true });
  const cancel = (): Promise<Response> =>
    fetch(`${gateway.url}/v1/run/${accepted.body.job_id}/cancel`, {
      method: "POST",
      headers: { authorization: `Bearer ${customer.key}` },
    });
  // It may be on its way to the provider still.
  let canceled = await cancel();
  while (canceled.status === 409) canceled = await cancel();
  assert.equal(canceled.status, 200);
  assert.equal(await spent(customer), 0);
});

test("nothing found costs nothing", async () => {
  const customer = await payer();
  const barren: readonly (readonly [string, object])[] = [
    ["tavily/extract", { urls: ["https://nowhere.invalid/"] }],
    ["exa/contents", { urls: ["https://nowhere.invalid/"] }],
    ["exa/search", { query, include_domains: ["a.com"], exclude_domains: ["a.com"] }],
    ["perplexity/search", { query, search_domain_filter: ["a.com", "-a.com"] }],
    ["serper/news", { query: "nothing" }],
    ["hunter/domain-search", { domain: "nobody.invalid" }],
    ["hunter/email-finder", { domain: "nobody.invalid", full_name: "Ada Lovelace" }],
    ["hunter/email-verifier", { email: "ada@silent.test" }],
  ];
  for (const [model, inputs] of barren) {
    const { status, body, cost } = await run(customer, model, inputs);
    assert.deepEqual(
      [status, body.is_empty, cost],
      [200, true, "0.000000"],
      `${model} ${JSON.stringify(body)}`,
    );
  }
  assert.equal(await spent(customer), 0);
});

test("inputs that are not right are named before anybody is asked", async () => {
  const customer = await payer();
  const wrong: readonly (readonly [string, object, string])[] = [
    ["tavily/search", { query, depth: "basic" }, "inputs.depth"],
    ["tavily/extract", { urls: [] }, "inputs.urls"],
    ["exa/search", { query, num_results: 101 }, "inputs.num_results"],
    ["exa/contents", { urls: ["nowhere"] }, "inputs.urls.0"],
    ["serper/search", { query, gl: "germany" }, "inputs.gl"],
    ["perplexity/sonar", {}, "inputs.query"],
    ["perplexity/search", { messages: [] }, "inputs.messages"],
    ["hunter/email-verifier", { email: "nobody" }, "inputs.email"],
    ["hunter/email-finder", { full_name: "Ada Lovelace" }, "inputs.domain"],
    ["apify/run-actor", { actor: "apify~x", max_total_charge_usd: 0 }, "inputs.max_total_charge_usd"],
    ["scrapecreators/tiktok/profile", { handle: "x", trim: true }, "inputs.trim"],
    ["scrapecreators/tiktok/profile", {}, "inputs.handle"],
    ["serper/maps", { query, country: "de" }, "inputs.country"],
    ["local/scrape", {}, "inputs.url"],
    ["local/scrape", { url: null }, "inputs.url"],
    ["local/scrape", { url: "https://example.com", urls: ["https://example.org"] }, "inputs.url"],
    ["elevenlabs/scribe_v2", {}, "inputs.audio_data"],
    ["local/transcribe", {}, "inputs.audio_data"],
  ];
  for (const [model, inputs, param] of wrong) {
    const { status, body } = await run(customer, model, inputs);
    assert.deepEqual([status, body.error?.code, body.error?.param], [400, "invalid_request", param], model);
  }
});

test("of several pages one without an address fails alone with a test key, as with a live one", async () => {
  const { status, body } = await run(await payer(), "local/scrape", { urls: ["https://example.com", "-1"] });
  const told = body.results.map((one: Record<string, { code: string }>) => one["error"]?.code);
  assert.deepEqual([status, told, body.usage], [200, [undefined, "invalid_request"], { requests: 1 }]);
});

/** One model of each provider, and where in its inputs an order for the emulator can be written. */
const ordered: Readonly<Record<string, (order: string) => object>> = {
  "tavily/search": (order) => ({ query: `x ${order}` }),
  "exa/search": (order) => ({ query: `x ${order}` }),
  "serper/search": (order) => ({ query: `x ${order}` }),
  "perplexity/search": (order) => ({ query: `x ${order}` }),
  "perplexity/sonar": (order) => ({ query: `x ${order}` }),
  "hunter/domain-search": (order) => ({ company: `x ${order}` }),
  "apify/run-actor": (order) => ({ actor: "apify~web-scraper", input: { query: `x ${order}` } }),
  "scrapecreators/instagram/search": (order) => ({ query: `x ${order}` }),
};
/** Asking again could do or cost something twice. */
const unrepeatable = new Set(["perplexity/sonar", "apify/run-actor"]);

suite("what a provider refuses or breaks costs nothing and is told in our words", { concurrency: 4 }, () => {
  for (const [model, inputsWith] of Object.entries(ordered)) {
    test(model, async () => {
      const customer = await payer();
      const told = async (order: string): Promise<readonly unknown[]> => {
        const { status, body } = await run(customer, model, inputsWith(`[sandbox:${order}]`));
        return [status, body.error?.code];
      };
      assert.deepEqual(await told("fault-400"), [400, "upstream_rejected_request"]);
      // Neither a wrong key nor an empty account of the operator's is the customer's fault.
      for (const status of [401, 402, 429])
        assert.deepEqual(await told(`fault-${status}`), [503, "upstream_unavailable"], String(status));
      assert.deepEqual(await told("fault-500"), [502, "upstream_error"]);
      assert.deepEqual(await told("fault-malformed"), [502, "upstream_invalid_response"]);
      assert.deepEqual(await told("fault-empty"), [502, "upstream_invalid_response"]);
      const [status, code] = await told("fault-cut");
      assert.equal(status, 502);
      assert.equal(code === "outcome_unknown", unrepeatable.has(model));
      assert.equal(await spent(customer), 0);
    });
  }
});

test("a limit of the operator's plan is not the customer's fault, and a verification may break", async () => {
  const customer = await payer();
  const limited = await run(customer, "tavily/search", { query: "x [sandbox:fault-432]" });
  assert.deepEqual([limited.status, limited.body.error.code], [503, "upstream_unavailable"]);
  const broken = await run(customer, "hunter/email-verifier", { email: "broken@example.com" });
  assert.deepEqual([broken.status, broken.body.error.code], [502, "run_failed"]);
  assert.equal(await spent(customer), 0);
});

test("an answer that does not tell what it took is charged what was reserved, and says so", async () => {
  const customer = await payer();
  const silent: readonly (readonly [string, object, string])[] = [
    ["tavily/search", { query: "x [sandbox:fault-nousage]", search_depth: "advanced" }, "0.320000"],
    ["serper/shopping", { query: "x [sandbox:fault-nousage]" }, "0.040000"],
  ];
  for (const [model, inputs, price] of silent) {
    const { body, cost } = await run(customer, model, inputs);
    assert.deepEqual([body.usage_estimated, cost], [true, price], model);
  }
});

const catalog = loadCatalog({ directories: [join(import.meta.dirname, "..", "catalog")] });
const social: readonly RunModel[] = catalog.models.flatMap((model) =>
  model.kind === "run" && model.id.startsWith("scrapecreators/") ? [model] : [],
);

test("every endpoint of social data answers its example, for its credits at 0.00188 USD each", async () => {
  assert.equal(social.length, 177);
  const customer = await payer();
  const waiting = [...social];
  let sum = 0;
  const work = async (): Promise<void> => {
    for (let model = waiting.pop(); model !== undefined; model = waiting.pop()) {
      const { status, body, cost } = await run(customer, model.id, model.example);
      assert.equal(status, 200, `${model.id} ${JSON.stringify(body)}`);
      assert.deepEqual(body.usage, { requests: 1 });
      for (const name of ["success", "credits_remaining", "url"]) assert.ok(!(name in body), model.id);
      assert.equal(cost, model.id.endsWith("/user/audience") ? "0.977600" : "0.037600", model.id);
      sum += Number(cost);
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
  assert.equal(await spent(customer), Math.round(sum * 1e6) / 1e6);
});

test("members of theirs that are called as ours keep their values under other names", async () => {
  const customer = await payer();
  const { body } = await run(customer, "scrapecreators/github/user", { username: "torvalds" });
  assert.match(body.id, /^run_/);
  assert.match(body.source_id, /^\d+$/);
  assert.deepEqual([body.handle, URL.canParse(body.source_url)], ["torvalds", true]);
  const nested = await run(customer, "scrapecreators/kwai/profile", { handle: "kwai" });
  assert.equal(nested.body.data.handle, "kwai");
  const dear = { url: "https://www.tiktok.com/@a/video/1", download_media: true };
  assert.equal((await run(customer, "scrapecreators/tiktok/video", dear)).cost, "0.376000");
  const alias = { url: "https://www.youtube.com/watch?v=dQw4w9WgXcQ" };
  const spoken = await run(customer, "scrapecreators/youtube_transcript", alias);
  assert.ok(spoken.body.transcript.length > 50);
});

test("a list that a platform calls data is shown as items, an object stays what it is", () => {
  const [offer] = social[0]?.offers ?? [];
  assert.ok(offer !== undefined && "endpoint" in offer.work);
  const endpoint: Endpoint = offer.work.endpoint;
  const compiled = compileEndpoint(endpoint);
  assert.ok("wire" in compiled);
  const context = { inputs: { handle: "x" }, env: {}, run: { id: "run_1", webhookUrl: undefined } };
  const outputOf = (answer: object): unknown => {
    const { memory } = compiled.wire.begin(context);
    const bytes = Buffer.from(JSON.stringify(answer));
    const headers = { "content-type": "application/json" };
    const step = compiled.wire.read(context, memory, { status: 200, headers, bytes });
    return step.state === "done" ? [step.output, step.isEmpty] : step;
  };
  const known = { success: true, credits_remaining: 9 };
  assert.deepEqual(outputOf({ ...known, data: [{ id: 1 }], cursor: "c" }), [
    { items: [{ id: 1 }], cursor: "c" },
    false,
  ]);
  assert.deepEqual(outputOf({ ...known, data: { id: 1 }, status: "live" }), [
    { data: { id: 1 }, source_status: "live" },
    false,
  ]);
  assert.deepEqual(outputOf(known), [{}, true]);
});
