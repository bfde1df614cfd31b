import assert from "node:assert/strict";
import type { Customer, CustomerWish } from "./gateway-api.ts";
import type { Gateway } from "./gateway.ts";

export type RunAnswer = {
  readonly status: number;
  // The answers of the API under test: each test asserts the members it reads.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
  /** `x-skillboss-cost`, in credits. */
  readonly cost: string | null;
};

/** A customer who runs models and knows what it cost. */
export type PayingCustomer = Customer & {
  run(model: string, inputs: object, more?: object): Promise<RunAnswer>;
  /** Credits spent so far, to the millionth. Fails while credits are held. */
  spent(): Promise<number>;
};

export async function payingCustomer(gateway: Gateway, wish: CustomerWish = {}): Promise<PayingCustomer> {
  const { mode = "test", credits = "1000.00" } = wish;
  const customer = await gateway.customer({ ...wish, mode, credits });
  return {
    ...customer,
    async run(model, inputs, more = {}) {
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
    },
    async spent() {
      const { body } = await gateway.get(customer.key, "/v1/balance");
      assert.equal(body.held, "0.000000");
      return Math.round((Number(credits) - Number(body.available)) * 1e6) / 1e6;
    },
  };
}
