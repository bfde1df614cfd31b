import { CommanderError } from "commander";
import { ClientError, ServerUnreachable } from "../client/errors.ts";
import type { JsonObject } from "../core/json-object.ts";
import { exitCodes, Interrupted, LeftOpen, OutputClosed, WrongUse } from "./exit.ts";

/** What a failed command says on standard error, for people and for programs; nothing when it ended as wished. */
export type Failure = {
  readonly exitCode: number;
  readonly text?: string;
  readonly error?: JsonObject;
};

/** What to do about a refusal, where its message does not say it. */
const advice: Readonly<Record<string, string>> = {
  insufficient_balance: "The operator adds credits: skillboss credits grant <account> <credits>",
  model_not_found: "All models: skillboss models",
};

/** `sent` tells where the key or token that was sent came from. */
export function failureOf(error: unknown, sent: string | undefined): Failure {
  if (error instanceof LeftOpen) return openEnd(error, failureOf(error.cause, sent));
  if (error instanceof Interrupted) return { exitCode: exitCodes.interrupted };
  if (error instanceof OutputClosed) return { exitCode: exitCodes.ok };
  if (error instanceof CommanderError) return wrongWords(error);
  if (error instanceof ClientError) return refusal(error, sent);
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof WrongUse) return plain(exitCodes.wrongUse, "wrong_use", message);
  if (error instanceof ServerUnreachable) {
    return plain(
      exitCodes.unreachable,
      "server_unreachable",
      `${message}\nThe address is that of --url, else of SKILLBOSS_URL.`,
    );
  }
  return plain(exitCodes.failed, "failed", message);
}

/** Who reads our output no more is told nothing more either. */
function openEnd({ advice, members, cause }: LeftOpen, { exitCode, text, error }: Failure): Failure {
  if (cause instanceof OutputClosed) return { exitCode };
  const known = error ?? { message: advice, code: "interrupted" };
  return {
    exitCode,
    text: text === undefined ? advice : `${text}\n${advice}`,
    error: { ...known, ...members },
  };
}

function plain(exitCode: number, code: string, message: string): Failure {
  return { exitCode, text: message, error: { message, code } };
}

/** Help and version are ends that commander tells as errors. */
function wrongWords(error: CommanderError): Failure {
  if (error.exitCode === 0) return { exitCode: exitCodes.ok };
  const isHelp = error.code === "commander.help";
  const message = isHelp ? "A command is missing." : error.message.replace(/^error: /, "");
  const failure = plain(exitCodes.wrongUse, "wrong_use", message);
  // The help itself was printed already.
  return isHelp ? failure : { ...failure, text: `${message}\nAdd --help to see what the command takes.` };
}

function refusal(error: ClientError, sent: string | undefined): Failure {
  const { code, message, param, requestId, retryAfterSeconds } = error;
  const lines = [message];
  if (error.status === 401 && sent !== undefined) lines.push(`What was sent is ${sent}.`);
  const hint = advice[code];
  if (hint !== undefined) lines.push(hint);
  if (retryAfterSeconds !== undefined) lines.push(`Try again in ${retryAfterSeconds} s.`);
  // Most messages begin with it.
  const place = param === undefined || message.includes(param) ? "" : ` at ${param}`;
  lines.push(`(${code}${place}${requestId === undefined ? "" : `, request ${requestId}`})`);
  const known = retryAfterSeconds === undefined ? {} : { retry_after_seconds: retryAfterSeconds };
  return { exitCode: exitCodes.failed, text: lines.join("\n"), error: { ...error.error, ...known } };
}
