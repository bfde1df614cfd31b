/** What a test asks of a gateway, and makes in it. */
export type GatewayApi = {
  readonly url: string;
  readonly port: number;
  /** The operator's. */
  readonly token: string;
  admin(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<AdminAnswer>;
  chat(key: string, body: Readonly<Record<string, unknown>>, more?: RequestInit): Promise<Response>;
  get(key: string, path: string): Promise<AdminAnswer>;
  /** An account with live and test credits and a key. Limits are wide unless given. */
  customer(wish?: CustomerWish): Promise<Customer>;
};

// The answers of the API under test: each test asserts the members it reads.
// oxlint-disable-next-line typescript/no-explicit-any
export type AdminAnswer = { readonly status: number; readonly body: any; readonly headers: Headers };

export type CustomerWish = {
  readonly credits?: string;
  readonly mode?: "live" | "test";
  readonly rpm?: number;
  readonly concurrent?: number;
  readonly models?: readonly string[];
};

export type Customer = { readonly accountId: string; readonly keyId: string; readonly key: string };

export function gatewayApi(url: string, token: string): GatewayApi {
  const ask = async (path: string, init: RequestInit): Promise<AdminAnswer> => {
    const response = await fetch(url + path, init);
    const text = await response.text();
    return {
      status: response.status,
      body: text === "" ? undefined : JSON.parse(text),
      headers: response.headers,
    };
  };
  const json = { "content-type": "application/json" };
  const admin: GatewayApi["admin"] = (method, path, body, headers) =>
    ask(`/admin/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : json), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  return {
    url,
    port: Number(new URL(url).port),
    token,
    admin,
    chat: (key, body, more) =>
      fetch(`${url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${key}`, ...json },
        body: JSON.stringify(body),
        ...more,
      }),
    get: (key, path) => ask(path, { headers: { authorization: `Bearer ${key}` } }),
    async customer(wish = {}) {
      const limits = {
        requests_per_minute: wish.rpm ?? 100_000,
        concurrent_requests: wish.concurrent ?? 1000,
      };
      const { body: account } = await admin("POST", "/accounts", { name: "customer", limits });
      const mode = wish.mode ?? "live";
      const credits = wish.credits ?? "1000.00";
      if (Number(credits) > 0)
        await admin("POST", `/accounts/${account.id}/credits`, { credits, mode, reason: "test" });
      const { body: key } = await admin("POST", `/accounts/${account.id}/keys`, {
        mode,
        ...(wish.models === undefined ? {} : { models: wish.models }),
      });
      return { accountId: account.id, keyId: key.id, key: key.key };
    },
  };
}
