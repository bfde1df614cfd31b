import { Option } from "commander";
import type { Command } from "commander";
import { deliveryStates } from "../client/webhook-client.ts";
import type {
  DeliveriesAnswer,
  DeliveryAnswer,
  DeliveryStateAnswer,
  WebhookSecretAnswer,
  WholeDeliveryAnswer,
} from "../client/webhook-client.ts";
import type { Desk } from "./desk.ts";
import { wholeNumber } from "./option-values.ts";
import { readableTime } from "./readable.ts";
import { pairs, table } from "./table.ts";

const mostListed = 200;

/** `skillboss webhooks …`: messages to the customer's own server, and the secret that they are signed with. */
export function addWebhooks(program: Command, desk: Desk): void {
  const webhooks = program
    .command("webhooks")
    .description("messages to your own server, and their signing secret (API key)")
    .helpCommand(false);
  addList(webhooks, desk);
  addShow(webhooks, desk);
  addReplay(webhooks, desk);
  addSecret(webhooks, desk);
  addRotate(webhooks, desk);
  webhooks.addHelpText(
    "after",
    "\nA message that is not taken is tried again: at least 8 times, over at least 24 hours. After that it is given\n" +
      "up; one whose receiver answered 410 is refused at once. Both can be replayed.\n\nExamples:\n" +
      "  skillboss webhooks list --state given_up\n  skillboss webhooks replay msg_…\n  skillboss webhooks secret",
  );
}

type ListOptions = {
  readonly state?: DeliveryStateAnswer;
  readonly limit?: number;
  readonly after?: string;
};

function addList(webhooks: Command, desk: Desk): void {
  webhooks
    .command("list")
    .description("what became of the messages, newest first")
    .addOption(new Option("--state <state>", "only those in this state").choices(deliveryStates))
    .option("--limit <n>", "how many; 50 when absent", wholeNumber(mostListed, 1))
    .option("--after <id>", "only older ones than this")
    .addHelpText(
      "after",
      "\nExamples:\n  skillboss webhooks list\n  skillboss webhooks list --state given_up --limit 200 --json",
    )
    .action(async (wish: ListOptions) =>
      desk.show(await desk.customer().webhooks.list(wish), (answer) => listText(answer, wish.state)),
    );
}

function addShow(webhooks: Command, desk: Desk): void {
  webhooks
    .command("show <id>")
    .description("one message, with the text that is sent")
    .addHelpText("after", "\nExample:\n  skillboss webhooks show msg_0123456789abcdef0123456789abcdef")
    .action(async (id: string) => desk.show(await desk.customer().webhooks.read(id), wholeText));
}

function addReplay(webhooks: Command, desk: Desk): void {
  webhooks
    .command("replay <id>")
    .description("send a message again, under the same id")
    .addHelpText("after", "\nExample:\n  skillboss webhooks replay msg_0123456789abcdef0123456789abcdef")
    .action(async (id: string) =>
      desk.show(
        await desk.customer().webhooks.replay(id),
        (answer) => `Sending ${answer.id} to ${answer.url} again.\n`,
      ),
    );
}

function addSecret(webhooks: Command, desk: Desk): void {
  webhooks
    .command("secret")
    .description("the signing secret of the API key's mode")
    .addHelpText("after", "\nExample:\n  skillboss webhooks secret --key sk-…")
    .action(async () => desk.show(await desk.customer().webhooks.secret(), secretText));
}

function addRotate(webhooks: Command, desk: Desk): void {
  webhooks
    .command("rotate")
    .description("make a new signing secret; the old one signs beside it for 24 hours")
    .addHelpText("after", "\nExample:\n  skillboss webhooks rotate")
    .action(async () => desk.show(await desk.customer().webhooks.rotate(), secretText));
}

function listText({ data, has_more }: DeliveriesAnswer, state: DeliveryStateAnswer | undefined): string {
  if (data.length === 0) return state === undefined ? "No messages yet.\n" : `No messages are ${state}.\n`;
  const titles = ["ID", "State", "Tries", "Last answer", "Next try (UTC)", "Run", "Address"];
  const columns = titles.map((title) => ({ title }));
  const rows = data.map((one) => [
    one.id,
    one.state,
    String(one.tries),
    lastAnswer(one),
    one.next_try_at === null ? "" : readableTime(one.next_try_at),
    one.run_id,
    one.url,
  ]);
  const more = has_more ? `More: skillboss webhooks list --after ${data.at(-1)?.id ?? ""}\n` : "";
  return table(columns, rows) + more;
}

function wholeText(delivery: WholeDeliveryAnswer): string {
  const known: readonly (readonly [string, string])[] = [
    ["Message", delivery.id],
    ["Run", delivery.run_id],
    ["Address", delivery.url],
    ["State", delivery.state],
    ["Tries", String(delivery.tries)],
    ["Last answer", lastAnswer(delivery)],
    ["Written", `${readableTime(delivery.created_at)} UTC`],
    ["Next try", delivery.next_try_at === null ? "" : `${readableTime(delivery.next_try_at)} UTC`],
    ["Delivered", delivery.delivered_at === null ? "" : `${readableTime(delivery.delivered_at)} UTC`],
  ];
  return `${pairs(known.filter(([, value]) => value !== ""))}\n${delivery.body}\n`;
}

/** `200`, `500 (status)`, `timeout`. */
function lastAnswer({ last_status, last_fault }: DeliveryAnswer): string {
  if (last_status === null) return last_fault ?? "";
  return last_fault === null ? String(last_status) : `${last_status} (${last_fault})`;
}

function secretText({ mode, secret, generation, replaced }: WebhookSecretAnswer): string {
  const known = pairs([
    ["Mode", mode],
    ["Generation", String(generation)],
    ...replaced.map(
      (one) =>
        ["Also signs", `generation ${one.generation}, until ${readableTime(one.signs_until)} UTC`] as const,
    ),
  ]);
  return `${known}\n  ${secret}\n\nVerify with it what arrives, by a library of Standard Webhooks, over the raw body.\n`;
}
