import type {
  AccountAnswer,
  AuditAnswer,
  BalanceAnswer,
  KeyAnswer,
  ModelAnswer,
  UsageAnswer,
} from "../client/answers.ts";
import type { FakeReplies } from "../client/fake-api.ts";

/** For tests: one answer of the API for every command, in the shapes of the doors. */

export const accountId = `acc_${"0".repeat(31)}1`;

const balances = {
  live: { available: "1523.450000", held: "0.000000" },
  test: { available: "0.000001", held: "2.000000" },
} as const;

export const sampleAccount: AccountAnswer = {
  id: accountId,
  name: "owner",
  plan: "pro",
  limits: { requests_per_minute: 6000, concurrent_requests: 500 },
  created_at: "2026-11-24T03:41:07.123Z",
  balances,
};

export const sampleKey: KeyAnswer = {
  id: "key_1",
  account_id: accountId,
  name: null,
  prefix: "sk-test-abcd",
  mode: "test",
  limits: { requests_per_minute: 60, concurrent_requests: 10 },
  models: null,
  created_at: "2026-11-24T03:41:07.123Z",
};

export const sampleModel: ModelAnswer = {
  id: "gpt-4o-mini",
  type: "chat",
  name: "GPT-4o mini",
  description: "Small and quick.",
  alias_of: "openai/gpt-4o-mini",
  context_window: 128_000,
  max_output: 16_384,
  capabilities: { streaming: true, tools: true, reasoning: false },
  available: true,
  providers: ["openai"],
  prices: [
    { meter: "input_tokens", per: 1_000_000, usd: "0.15", credits: "3.000000" },
    { meter: "output_tokens", per: 1_000_000, usd: "0.60", credits: "12.000000" },
  ],
  lifecycle: { state: "active", shutdown: null, replacement: null },
  doc: null,
};

export const sampleImageModel: ModelAnswer = {
  ...sampleModel,
  id: "flux-1.1-pro",
  type: "image",
  name: "FLUX",
  description: "Makes an image.",
  context_window: 0,
  available: false,
  prices: [{ meter: "images", per: 1, usd: "0.10", credits: "2.000000" }],
};

export const sampleAudit: AuditAnswer = { ok: true, books: 4, transfers: 7, open_holds: 1, faults: [] };

const sum = { requests: 2, credits: "0.000858", usd: "0.000042", input_tokens: 34, output_tokens: 1063 };

export const sampleUsage: UsageAnswer = {
  mode: "test",
  period: "month",
  since: "2026-10-26T00:00:00.000Z",
  total: sum,
  by_model: [{ model: "gpt-4o-mini", ...sum }],
  daily: [{ date: "2026-11-24", ...sum }],
  recent: [
    {
      call_id: "call_1",
      model: "gpt-4o-mini",
      served_by: "openai/gpt-4o-mini",
      credits: "0.000429",
      ending: "failed",
      reason: "upstream_error",
      estimated: false,
      at: "2026-11-24T03:41:07.123Z",
    },
  ],
};

const sampleBalance: BalanceAnswer = {
  mode: "test",
  credits: 2.5,
  available: "2.500000",
  held: "0.000000",
  credit_usd: "0.05",
};

const account = `/admin/v1/accounts/${accountId}`;

export const sampleReplies: FakeReplies = {
  "GET /admin/v1/accounts": { body: { object: "list", data: [sampleAccount] } },
  "POST /admin/v1/accounts": { status: 201, body: sampleAccount },
  [`GET ${account}`]: { body: sampleAccount },
  [`PATCH ${account}`]: { body: sampleAccount },
  [`GET ${account}/keys`]: { body: { object: "list", data: [sampleKey] } },
  [`POST ${account}/keys`]: { status: 201, body: { ...sampleKey, key: "sk-test-abcdefsecret" } },
  "DELETE /admin/v1/keys/key_1": { status: 204 },
  [`POST ${account}/credits`]: { status: 201, body: { transfer_id: "grant_1", balances } },
  [`GET ${account}/transfers`]: ({ path }) => ({
    body: {
      object: "list",
      data: [{ ...transferLine, sequence: path.includes("after=1") ? 2 : 1 }],
      has_more: !path.includes("after=1"),
    },
  }),
  "POST /admin/v1/audit": { body: sampleAudit },
  "GET /v1/balance": { body: sampleBalance },
  "GET /v1/usage": { body: sampleUsage },
  "GET /v1/models": {
    body: {
      object: "list",
      data: [sampleModel, sampleImageModel],
      count: 2,
      available_types: { chat: 1, image: 1 },
    },
  },
  "GET /v1/models/gpt-4o-mini": { body: sampleModel },
  "POST /v1/chat/completions": {
    body: {
      id: "chatcmpl-1",
      model: "gpt-4o-mini",
      choices: [{ index: 0, message: { role: "assistant", content: "Hi." }, finish_reason: "stop" }],
      _balance_warning: false,
      _remaining_credits: 9.5,
    },
  },
};

const transferLine = {
  sequence: 1,
  id: "grant_1",
  call_id: null,
  kind: "grant",
  amount: "-1000.000000",
  book: "grants",
  at: "2026-11-24T03:41:07.123Z",
};
