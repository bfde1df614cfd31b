import type { Command } from "commander";
import type { ModelAnswer, ModelsAnswer, RateAnswer } from "../client/answers.ts";
import type { Desk } from "./desk.ts";
import { counted, readableCount, readableCredits } from "./readable.ts";
import { pairs, table } from "./table.ts";

const perMillion = 1_000_000;

/** `skillboss models`: what can be called, and at what price. */
export function addModels(program: Command, desk: Desk): void {
  const models = program
    .command("models")
    .argument("[search]", "part of an id, a name or a description")
    .description("what can be called, and at what price (API key)")
    .helpCommand(false)
    .option("--type <types>", "chat, image, video, …; several with commas between")
    .addHelpText(
      "after",
      "\nExamples:\n  skillboss models\n  skillboss models claude\n  skillboss models --type image,video\n" +
        "  skillboss models show gpt-4o-mini",
    )
    .action(async (search: string | undefined, { type }: { readonly type?: string }) => {
      const types = type?.split(",").map((one) => one.trim());
      const all = await desk.customer().models.list(types === undefined ? {} : { types });
      const data = all.data.filter((model) => matches(model, search ?? ""));
      await desk.show(
        { object: "list", data, count: data.length, available_types: all.available_types },
        () => (data.length === 0 ? noneText(all, { search, type }) : modelsTable(data)),
      );
    });
  models
    .command("show <id>")
    .description("one model: prices, abilities, an example call")
    .addHelpText("after", "\nExample:\n  skillboss models show gpt-4o-mini")
    .action(async (id: string) =>
      desk.show(await desk.customer().models.read(id), (model) => modelText(model, desk.url)),
    );
}

function matches(model: ModelAnswer, search: string): boolean {
  const text = [model.id, model.name, model.description, ...(model.aliases ?? [])].join("\n").toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

type Asked = { readonly search: string | undefined; readonly type: string | undefined };

function noneText({ available_types }: ModelsAnswer, { search, type }: Asked): string {
  const types = Object.entries(available_types)
    .map(([name, count]) => `${name} (${count})`)
    .join(", ");
  const named = search === undefined ? "" : ` matches "${search}"`;
  const typed = type === undefined ? "" : ` of type ${type}`;
  return `No model${typed}${named === "" ? " is there" : named}. Types: ${types === "" ? "none" : types}\n`;
}

function modelsTable(models: readonly ModelAnswer[]): string {
  const rows = models.map((model) => [
    model.id,
    model.type,
    priceText(model.prices),
    model.context_window > 0 ? readableCount(model.context_window) : "",
    availability(model),
  ]);
  const columns = [
    { title: "Model" },
    { title: "Type" },
    { title: "Credits" },
    { title: "Context", align: "right" },
    { title: "Can be called" },
  ] as const;
  return `${table(columns, rows)}${counted(models.length, "model")}. More of one: skillboss models show <model>\n`;
}

function availability({ available, lifecycle }: ModelAnswer): string {
  const ending = lifecycle.state === "active" ? "" : ` (${lifecycle.state})`;
  return `${available ? "yes" : "not now"}${ending}`;
}

/** The usual price in short: chat models by the million of tokens in and out, the others by their unit. */
function priceText(prices: readonly RateAnswer[]): string {
  const usual = prices.filter((rate) => rate.when === undefined);
  const millionOf = (meter: string) =>
    usual.find((rate) => rate.meter === meter && rate.per === perMillion)?.credits;
  const input = millionOf("input_tokens");
  const output = millionOf("output_tokens");
  if (input !== undefined && output !== undefined)
    return `${readableCredits(input)} in, ${readableCredits(output)} out per million tokens`;
  return usual.map((rate) => `${readableCredits(rate.credits)} ${unitText(rate)}`).join(", ");
}

function unitText({ meter, per }: RateAnswer): string {
  const unit = meter.replaceAll("_", " ");
  return per === 1 ? `per ${unit.replace(/s$/, "")}` : `per ${readableCount(per)} ${unit}`;
}

function modelText(model: ModelAnswer, url: string): string {
  const { lifecycle } = model;
  const abilities = Object.entries(model.capabilities)
    .filter(([, isAble]) => isAble)
    .map(([name]) => name.replaceAll("_", " "));
  const known: (readonly [string, string])[] = [
    ["Model", model.id],
    ["Name", model.name],
    ["Type", model.type],
    ["About", model.description],
    ["Can be called", availability(model)],
    ["Providers", model.providers.join(", ")],
    ["Context", model.context_window > 0 ? `${readableCount(model.context_window)} tokens` : ""],
    ["Most output", model.max_output > 0 ? `${readableCount(model.max_output)} tokens` : ""],
    ["Abilities", abilities.join(", ")],
    ["Also known as", (model.aliases ?? []).join(", ")],
    ["Stands for", model.alias_of ?? ""],
    ["Note", model.note ?? ""],
    ["Ends on", lifecycle.shutdown ?? ""],
    ["Followed by", lifecycle.replacement ?? ""],
    ["More", model.doc ?? ""],
  ];
  // The address that was reached from here, which need not be the one that the server knows itself by.
  const call = model.curl_example?.replace(/^curl \S+?(?=\/v1\/)/, () => `curl ${url}`);
  const example = call === undefined ? "" : `\nExample:\n  ${call}\n`;
  return pairs(known.filter(([, value]) => value !== "")) + pricesText(model.prices) + example;
}

function pricesText(prices: readonly RateAnswer[]): string {
  if (prices.length === 0) return "";
  const rows = prices.map((rate) => [
    unitText(rate),
    readableCredits(rate.credits),
    `$${rate.usd}`,
    rate.when?.input_tokens_gt === undefined
      ? ""
      : `above ${readableCount(rate.when.input_tokens_gt)} input tokens`,
  ]);
  const columns = [
    { title: "Price" },
    { title: "Credits", align: "right" },
    { title: "USD", align: "right" },
    { title: "" },
  ] as const;
  return `\n${table(columns, rows)}`;
}
