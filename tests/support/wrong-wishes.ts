/** What an operator may ask for by mistake, and the member that is at fault. `{id}` stands for an account. */
export type WrongWish = {
  readonly method: "GET" | "POST" | "PATCH";
  readonly path: string;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly param: string;
};

const wrongAmounts: readonly unknown[] = [
  ...["1.0000001", "0.0000001", "-1", "-0.000001", "0", "0.000000"],
  ...["1000000000.000001", "1000000001", "9".repeat(30), "9223372036854.775808"],
  ...["1e3", "1E3", "1e-3", "Infinity", "NaN", "0x10", "1,5", "1_000", " 1", "1 ", "+1", "1.", ".5", ""],
  ...["٣", "1\n", 25, 0.1, 1e300, true, null, ["1"], { credits: "1" }],
];

const wrongLimits: readonly unknown[] = [-1, 1.5, 1_000_001, "10", true, [], {}];

const accounts = "/accounts";
const keys = "/accounts/{id}/keys";
const credits = "/accounts/{id}/credits";
const transfers = "/accounts/{id}/transfers";

export const wrongWishes: readonly WrongWish[] = [
  ...wrongAmounts.map((amount) => post(credits, { credits: amount, mode: "live" }, "credits")),
  post(credits, { mode: "live" }, "credits"),
  ...["prod", "LIVE", "", "live ", null, 1, ["live"]].flatMap((mode) => [
    post(credits, { credits: "1.00", mode }, "mode"),
    post(keys, { mode }, "mode"),
  ]),
  post(credits, { credits: "1.00" }, "mode"),
  post(credits, { credits: "1.00", mode: "live", reason: "" }, "reason"),
  post(credits, { credits: "1.00", mode: "live", reason: "x".repeat(501) }, "reason"),
  post(keys, {}, "mode"),
  post(keys, { mode: "live", models: [] }, "models"),
  post(keys, { mode: "live", models: ["m-chat", 1] }, "models[1]"),
  post(keys, { mode: "live", name: "" }, "name"),
  ...["gold", "Free", "", null, 1].flatMap((plan) => [
    post(accounts, { name: "n", plan }, "plan"),
    patch({ plan }, "plan"),
  ]),
  ...["", "x".repeat(201), "a\0b", "\ud800", 1, null].flatMap((name) => [
    post(accounts, { name }, "name"),
    patch({ name }, "name"),
  ]),
  post(accounts, {}, "name"),
  ...wrongLimits.flatMap((limit) => [
    post(accounts, { name: "n", limits: { requests_per_minute: limit } }, "limits.requests_per_minute"),
    post(keys, { mode: "live", limits: { concurrent_requests: limit } }, "limits.concurrent_requests"),
    patch({ limits: { concurrent_requests: limit } }, "limits.concurrent_requests"),
  ]),
  post(accounts, { name: "n", limits: 10 }, "limits"),
  ...["-1", "1.5", "x", "", "1e3", "9007199254740992"].map((after) => query("after", after)),
  ...["0", "-1", "1001", "x", ""].map((limit) => query("limit", limit)),
];

/** Members that no door takes; nobody should believe that they did something. */
export const unknownMembers: readonly WrongWish[] = [
  post(accounts, { name: "n", credits: "5" }, "credits"),
  patch({ rpm: 60 }, "rpm"),
  patch({ limits: { rpm: 60 } }, "limits.rpm"),
  post(keys, { mode: "live", expires: "never" }, "expires"),
  post(credits, { credits: "1.00", mode: "live", id: "grant_mine" }, "id"),
];

export const wrongModesOfTransfers: readonly WrongWish[] = ["prod", "TEST", "", "live,test"].map((mode) =>
  query("mode", mode),
);

function post(path: string, body: Readonly<Record<string, unknown>>, param: string): WrongWish {
  return { method: "POST", path, body, param };
}

function patch(body: Readonly<Record<string, unknown>>, param: string): WrongWish {
  return { method: "PATCH", path: "/accounts/{id}", body, param };
}

function query(param: string, value: string): WrongWish {
  return { method: "GET", path: `${transfers}?${param}=${encodeURIComponent(value)}`, param };
}
