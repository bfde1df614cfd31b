import { fingerprintOf } from "../answers/random.ts";
import { isObject, objectsIn, stringOr } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { badRequest, Refusal } from "../refusal.ts";

export type LineItems = {
  /** In the smallest unit of the currency. */
  readonly amount: number;
  readonly currency: string;
  readonly isRecurring: boolean;
};

type Item = { readonly amount: number; readonly currency: string; readonly isRecurring: boolean };

const mostItems = 100;

/**
 * The sum of a form's `line_items`: each with the id of a price, which costs what its text decides, or with a price of its
 * own. An id that begins with `price_missing` is of no price.
 */
export function lineItemsIn(form: JsonObject): LineItems {
  const given = form["line_items"];
  const items = objectsIn(given);
  if (items.length === 0) {
    throw new Refusal(400, "Missing required param: line_items.", { param: "line_items", code: "missing" });
  }
  if (items.length > mostItems)
    throw badRequest(`There are more than ${mostItems} line items.`, "line_items");
  const read = items.map((item, at) => itemIn(item, `line_items[${at}]`));
  const [first] = read;
  const currency = first?.currency ?? "usd";
  if (read.some((item) => item.currency !== currency)) {
    throw badRequest("All line items must have the same currency.", "line_items");
  }
  return {
    amount: read.reduce((sum, item) => sum + item.amount, 0),
    currency,
    isRecurring: read.some((item) => item.isRecurring),
  };
}

function itemIn(item: JsonObject, at: string): Item {
  const quantity = wholeIn(item["quantity"], `${at}[quantity]`);
  const { price, price_data: data } = item;
  if (typeof price === "string") return pricedById(price, quantity, at);
  if (!isObject(data)) {
    throw new Refusal(400, `Missing required param: ${at}[price].`, {
      param: `${at}[price]`,
      code: "missing",
    });
  }
  const { currency, unit_amount: unit, product_data: product, recurring } = data;
  if (typeof currency !== "string" || !/^[a-z]{3}$/i.test(currency)) {
    throw new Refusal(400, "Invalid currency.", { param: `${at}[price_data][currency]`, code: "missing" });
  }
  if (!isObject(product) || stringOr(product["name"], "") === "") {
    const param = `${at}[price_data][product_data][name]`;
    throw new Refusal(400, `Missing required param: ${param}.`, { param, code: "missing" });
  }
  const amount = wholeIn(unit, `${at}[price_data][unit_amount]`) * quantity;
  return { amount, currency: currency.toLowerCase(), isRecurring: isObject(recurring) };
}

function pricedById(price: string, quantity: number, at: string): Item {
  if (price.startsWith("price_missing")) {
    throw new Refusal(400, `No such price: '${price}'`, { param: `${at}[price]`, code: "resource_missing" });
  }
  const unit = 100 + (Number.parseInt(fingerprintOf(price).slice(0, 6), 16) % 10_000);
  return { amount: unit * quantity, currency: "usd", isRecurring: false };
}

function wholeIn(value: unknown, param: string): number {
  if (typeof value === "string" && /^\d{1,12}$/.test(value)) return Number(value);
  throw new Refusal(400, `Invalid integer: ${stringOr(value, "")}`, { param, code: "too_small" });
}
