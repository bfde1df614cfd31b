import { Option } from "commander";
import type { Command } from "commander";
import type { BalanceNote, ChatAnswer } from "../client/chat-answers.ts";
import type { Client } from "../client/client.ts";
import type { ChatRequest } from "../core/chat.ts";
import type { Desk } from "./desk.ts";
import { WrongUse } from "./exit.ts";
import { wholeNumber } from "./option-values.ts";
import { readableCredits } from "./readable.ts";

const mostTokens = 2_147_483_647;

type ChatOptions = {
  readonly model: string;
  readonly system?: string;
  readonly maxTokens?: number;
  readonly stream: boolean;
};

/** `skillboss chat`: one question, the answer as it comes. */
export function addChat(program: Command, desk: Desk): void {
  program
    .command("chat")
    .argument("[message...]", "what to say; read from standard input when absent")
    .description("ask a chat model; the answer streams to the terminal (API key)")
    .option("--model <id>", "which model answers", "gpt-4o-mini")
    .option("--system <text>", "how the model is to behave")
    .option("--max-tokens <n>", "most tokens of the answer", wholeNumber(mostTokens, 1))
    .addOption(new Option("--no-stream", "print the answer once all of it is there"))
    .addHelpText(
      "after",
      '\nWith --json the answer comes whole, as the API gives it.\n\nExamples:\n  skillboss chat "Why is the sky blue?"\n' +
        '  skillboss chat --model claude-sonnet-5 --system "Answer in French." Hello\n' +
        "  cat notes.txt | skillboss chat --max-tokens 300",
    )
    .action(async (words: readonly string[], options: ChatOptions) => {
      const client = desk.customer();
      const request = requestOf(await messageOf(words, desk), options);
      await desk.interruptible(() => answer({ desk, client, request }, options.stream && !desk.isJson));
    });
}

async function messageOf(words: readonly string[], desk: Desk): Promise<string> {
  if (words.length > 0) return words.join(" ");
  const input = desk.house.standardInput ?? process.stdin;
  if (input.isTTY === true) await desk.note("Write your message and end it with Ctrl-D:\n");
  const parts: Buffer[] = [];
  for await (const part of input) parts.push(Buffer.from(part));
  const message = Buffer.concat(parts).toString("utf8").trim();
  if (message === "") throw new WrongUse('There is no message. Write one: skillboss chat "Hello"');
  return message;
}

function requestOf(message: string, { model, system, maxTokens }: ChatOptions): ChatRequest {
  const user = { role: "user", content: message } as const;
  return {
    model,
    messages: system === undefined ? [user] : [{ role: "system", content: system }, user],
    ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
  };
}

type Conversation = { readonly desk: Desk; readonly client: Client; readonly request: ChatRequest };

async function answer(conversation: Conversation, isStreamed: boolean): Promise<void> {
  const { desk, client, request } = conversation;
  if (isStreamed) return streamed(conversation);
  const whole = await client.chat.complete(request);
  await desk.show(whole, (shown) => `${textOf(shown)}\n`);
  if (desk.isJson) return;
  const finish = whole.choices[0]?.finish_reason ?? undefined;
  await desk.note(endText(whole, { finish, hasText: textOf(whole) !== "" }));
}

async function streamed({ desk, client, request }: Conversation): Promise<void> {
  let end: BalanceNote = {};
  let finish: string | undefined;
  let last = "";
  try {
    for await (const chunk of client.chat.stream(request)) {
      end = chunk;
      const [choice] = chunk.choices;
      finish = choice?.finish_reason ?? finish;
      const text = choice?.delta.content ?? choice?.delta.refusal ?? "";
      if (text === "") continue;
      last = text;
      await desk.print(text);
    }
  } finally {
    // What follows, a prompt or an error, begins on its own line.
    if (last !== "" && !last.endsWith("\n")) desk.house.standardOutput.write("\n");
  }
  await desk.note(endText(end, { finish, hasText: last !== "" }));
}

function textOf({ choices }: ChatAnswer): string {
  const message = choices[0]?.message;
  return message?.content ?? message?.refusal ?? "";
}

type Ended = { readonly finish: string | undefined; readonly hasText: boolean };

function endText(end: BalanceNote, { finish, hasText }: Ended): string {
  const lines: string[] = [];
  if (!hasText) lines.push("The model answered with no text.");
  if (end._limited_by === "insufficient_balance")
    lines.push("The answer was limited to what the balance pays for.");
  else if (finish === "length") lines.push("The answer was cut at its limit of tokens: see --max-tokens.");
  if (end._remaining_credits !== undefined) {
    const isLow = end._balance_warning === true ? " The balance is running low." : "";
    lines.push(`${readableCredits(end._remaining_credits.toFixed(6))} credits left.${isLow}`);
  }
  return lines.map((line) => `${line}\n`).join("");
}
