import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export type TestRate = { readonly meter: string; readonly per: number; readonly usd: string };

/** µcr per token 2.5 in, 0.25 cached, 10 out: at $0.05 a credit that is $0.125, $0.0125 and $0.5 per million. */
const prices = rates("0.125", "0.0125", "0.5");
const dearPrices = rates("0.25", "0.025", "1");

function rates(input: string, cached: string, output: string) {
  const rate = (meter: string, usd: string) => ({ meter, per: 1_000_000, usd });
  return [rate("input_tokens", input), rate("cache_read_tokens", cached), rate("output_tokens", output)];
}

/** The providers and models of the test plan, and two models for each provider more. */
export function writeCatalog(directory: string, more: Readonly<Record<string, string>>): void {
  mkdirSync(join(directory, "providers"), { recursive: true });
  mkdirSync(join(directory, "models", "test"), { recursive: true });
  const write = (path: string, facts: unknown) => writeFileSync(join(directory, path), JSON.stringify(facts));
  const bearer = { header: "authorization", prefix: "Bearer " };
  for (const id of ["p1", "p2", ...Object.keys(more)]) {
    write(`providers/${id}.json`, {
      id,
      name: id,
      wire: "openai-chat",
      base_url: "http://127.0.0.1:9/v1",
      auth: bearer,
      max_tokens_field: "max_tokens",
    });
  }
  write("providers/a1.json", {
    id: "a1",
    name: "a1",
    wire: "anthropic-messages",
    base_url: "http://127.0.0.1:9",
    auth: { header: "x-api-key", prefix: "" },
    max_tokens_field: "max_tokens",
  });
  const chat = (id: string, offers: readonly unknown[]) =>
    write(`models/test/${id}.json`, {
      id,
      name: id,
      kind: "chat",
      category: "chat",
      description: "A model of the test plan.",
      context_window: 200_000,
      max_output: 65_536,
      capabilities: {
        tools: true,
        vision: true,
        pdf: true,
        reasoning: false,
        structured_output: true,
        sampling: true,
        thinking: "none",
      },
      lifecycle: { state: "active" },
      offers,
    });
  const offer = (provider: string, id: string, price = prices) => ({ provider, upstream_model: id, price });
  chat("m-chat", [offer("p1", "m-chat")]);
  chat("m-two", [offer("p1", "m-two"), offer("p2", "m-two", dearPrices)]);
  chat("m-claude", [offer("a1", "m-claude")]);
  chat("m-free", [offer("p1", "m-free", rates("0", "0", "0"))]);
  for (const id of Object.keys(more)) {
    chat(`m-${id}`, [offer(id, `m-${id}`)]);
    chat(`m-${id}-two`, [offer(id, `m-${id}-two`), offer("p2", `m-${id}-two`)]);
  }
}

/** Chat models of p1 with prices of their own. */
export function writeMoreModels(
  directory: string,
  models: Readonly<Record<string, readonly TestRate[]>>,
): void {
  for (const [id, price] of Object.entries(models)) {
    const facts = {
      ...{ id, kind: "chat", context_window: 100_000_000, max_output: 100_000_000 },
      offers: [{ provider: "p1", upstream_model: id, price }],
    };
    writeFileSync(join(directory, "models", "test", `${id}.json`), JSON.stringify(facts));
  }
}
