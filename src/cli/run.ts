import type { Command } from "commander";
import type { Client } from "../client/client.ts";
import { ClientError, isAnswerLost } from "../client/errors.ts";
import type { JobAnswer, LettersAnswer, RunAnswer, RunWish } from "../client/run-client.ts";
import type { Desk } from "./desk.ts";
import { exitCodes, Interrupted, LeftOpen, WrongUse } from "./exit.ts";
import { fileInput } from "./file-input.ts";
import { collected } from "./option-values.ts";
import { readableCredits } from "./readable.ts";
import { fileUrlsIn, refuseUnwritable, saveFiles } from "./result-file.ts";

type RunOptions = {
  readonly input?: string;
  readonly file?: readonly string[];
  readonly output?: string;
  readonly async?: boolean;
  readonly webhook?: string;
};

const firstWaitMs = 300;
const longestWaitMs = 3_000;

/** `skillboss run`: any model that is not a chat, waited for; a file of the result is saved where wanted. */
export function addRun(program: Command, desk: Desk): void {
  program
    .command("run")
    .argument("<model>", "which model, see skillboss models")
    .argument("[inputs...]", "name=value, one for each input")
    .description("run a model: images, video, speech, scraping, search, e-mail… (API key)")
    .option("--input <json>", "all inputs as one JSON object")
    .option("--file <name=path>", "an input that is a file's content; may be given again", collected)
    .option("-o, --output <path>", "save the result's file there; several as path-1, path-2")
    .option("--async", "print the job and do not wait for it")
    .option("--webhook <url>", "tell this address when the run is over")
    .addHelpText(
      "after",
      '\nExamples:\n  skillboss run flux-1.1-pro prompt="A sunset over mountains" -o sunset.jpg\n' +
        "  skillboss run local/scrape url=https://example.com\n" +
        "  skillboss run whisper-1 --file audio_data=talk.mp3\n" +
        "  skillboss run local/parse --file document_url=report.pdf",
    )
    .action(async (model: string, words: readonly string[], options: RunOptions) => {
      const client = desk.customer();
      if (options.output !== undefined) await refuseUnwritable(options.output);
      const inputs = { ...(await filesOf(options.file)), ...jsonInputs(options.input), ...pairsOf(words) };
      const wish = { model, inputs, webhook: options.webhook };
      await desk.interruptible(() => carryOut({ desk, client, wish, options }));
    });
}

type Errand = {
  readonly desk: Desk;
  readonly client: Client;
  readonly wish: RunWish;
  readonly options: RunOptions;
};

/** However it ends: a run that was begun is named, since it goes on and is paid for. */
async function carryOut({ desk, client, wish, options }: Errand): Promise<void> {
  const begun = await begin(client, wish, options.async === true);
  if ("results" in begun) return showLetters(desk, begun);
  const { job_id: id } = begun;
  let job: JobAnswer;
  try {
    job = await client.runs.read(id);
    if (options.async === true) return await desk.show(job, ({ status }) => `${id} ${status}\n`);
    job = await waitedFor(client, job, desk);
  } catch (cause) {
    const advice = `The run ${id} goes on: skillboss jobs show ${id}\nTo call it off: skillboss jobs cancel ${id}`;
    throw new LeftOpen({ cause, advice, members: { run_id: id } });
  }
  await finish(desk, job, options.output);
}

/**
 * Runs begin as jobs here, which neither chats nor letters to receivers with variables can be: their refusal names what
 * nobody wrote. It comes before anything is done, so that the letters can be asked for in the way that they are sent.
 */
async function begin(
  client: Client,
  wish: RunWish,
  isAsync: boolean,
): Promise<Pick<JobAnswer, "job_id"> | LettersAnswer> {
  try {
    return await client.runs.begin(wish);
  } catch (error) {
    if (isAnswerLost(error) || error instanceof Interrupted) throw unseenBegin(error);
    if (!(error instanceof ClientError) || error.param !== "async") throw error;
    const { type } = await client.models.read(wish.model);
    if (type === "chat")
      throw new WrongUse(`${wish.model} is a chat model: skillboss chat --model ${wish.model} "…"`);
    if (isAsync) throw error;
    return sentLetters(client, wish);
  }
}

/** Whoever does not see what became of them must not take it that none were sent. */
async function sentLetters(client: Client, wish: RunWish): Promise<LettersAnswer> {
  try {
    return await client.runs.letters(wish);
  } catch (cause) {
    if (!isAnswerLost(cause) && !(cause instanceof Interrupted)) throw cause;
    const advice = "Whether letters were sent is not known: skillboss usage";
    throw new LeftOpen({ cause, advice, members: {} });
  }
}

async function showLetters(desk: Desk, answer: LettersAnswer): Promise<void> {
  if (!answer.success) desk.exitCode = exitCodes.failed;
  await desk.show(answer, ({ results }) =>
    results
      .map(({ email, status, error }) => `${email} ${status}${error === undefined ? "" : `: ${error}`}`)
      .map((line) => `${line}\n`)
      .join(""),
  );
}

function unseenBegin(cause: unknown): LeftOpen {
  const advice = "Whether the run was begun is not known: skillboss jobs list";
  return new LeftOpen({ cause, advice, members: {} });
}

async function waitedFor(client: Client, begun: JobAnswer, desk: Desk): Promise<JobAnswer> {
  let job = begun;
  let waitMs = firstWaitMs;
  let told = 0;
  while (job.status === "queued" || job.status === "running") {
    await desk.pause(waitMs);
    waitMs = Math.min(waitMs * 1.5, longestWaitMs);
    job = await client.runs.read(job.job_id);
    const percent = Math.floor((job.progress ?? 0) * 100);
    if (percent >= told + 10 && !desk.isJson) await desk.note(`${percent} %\n`);
    told = Math.max(told, percent);
  }
  return job;
}

async function finish(desk: Desk, job: JobAnswer, output: string | undefined): Promise<void> {
  if (job.result === undefined) {
    desk.exitCode = exitCodes.failed;
    if (desk.isJson) return desk.show(job, () => "");
    const place = job.error_param === undefined ? "" : `at ${job.error_param}, `;
    return desk.note(`skillboss: ${job.error ?? `the run is ${job.status}`} (${place}${job.job_id})\n`);
  }
  const { result } = job;
  let saved: readonly string[] = [];
  try {
    if (output !== undefined) saved = await saveFiles(result, { client: desk.customer(), path: output });
  } catch (error) {
    // The result was paid for: whatever became of its files, it is shown.
    await show(desk, result, []);
    throw error;
  }
  await show(desk, result, saved);
  if (!desk.isJson) await desk.note(costText(result));
}

/** Where the output takes nothing, the result that was paid for is still at the server. */
async function show(desk: Desk, result: RunAnswer, saved: readonly string[]): Promise<void> {
  try {
    await desk.show(result, () =>
      saved.length === 0 ? resultText(result) : saved.map((path) => `Saved ${path}\n`).join(""),
    );
  } catch (cause) {
    const advice = `The run ${result.id} is done: skillboss jobs show ${result.id}`;
    throw new LeftOpen({ cause, advice, members: { run_id: result.id } });
  }
}

const ownMembers = new Set(["id", "object", "model", "status", "usage", "usage_estimated"]);

/** A text as it is; files by their addresses; all else as JSON. */
function resultText(result: RunAnswer): string {
  const urls = fileUrlsIn(result);
  if (urls.length > 0) return urls.map((url) => `${url}\n`).join("");
  for (const member of ["markdown", "text", "content"]) {
    const value = result[member];
    if (typeof value === "string") return `${value}\n`;
  }
  const members = Object.entries(result).filter(([name]) => !ownMembers.has(name) && !name.startsWith("_"));
  return `${JSON.stringify(Object.fromEntries(members), null, 2)}\n`;
}

function costText(result: RunAnswer): string {
  const usage = Object.entries(result.usage ?? {}).map(([meter, quantity]) => `${quantity} ${meter}`);
  const cost = result._call_cost_usd === undefined ? "" : ` $${result._call_cost_usd}`;
  const left = result._remaining_credits;
  const rest = left === undefined ? "" : `, ${readableCredits(left.toFixed(6))} credits left`;
  return `${usage.join(", ")}:${cost}${rest} (${result.id})\n`;
}

function jsonInputs(text: string | undefined): Record<string, unknown> {
  if (text === undefined) return {};
  const value = parsed(text);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new WrongUse("--input wants a JSON object.");
  return { ...value };
}

/** `size=1024x1024` is text, `n=2`, `hd=true` and `tags=["a"]` are what they look like. */
function pairsOf(words: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    words.map((word) => {
      const [name, value] = split(word, "An input");
      const read = /^(?:-?\d+(?:\.\d+)?|true|false|\[.*\]|\{.*\})$/s.test(value) ? parsed(value) : undefined;
      return [name, read ?? value];
    }),
  );
}

async function filesOf(pairs: readonly string[] = []): Promise<Record<string, unknown>> {
  let inputs: Record<string, unknown> = {};
  for (const pair of pairs) {
    const [name, path] = split(pair, "--file");
    inputs = { ...inputs, ...(await fileInput(name, path)) };
  }
  return inputs;
}

function split(word: string, what: string): readonly [string, string] {
  const at = word.indexOf("=");
  if (at < 1) throw new WrongUse(`${what} is written name=value, not ${JSON.stringify(word)}.`);
  return [word.slice(0, at), word.slice(at + 1)];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
