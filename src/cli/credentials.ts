import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { CliHouse } from "./cli-house.ts";
import { WrongUse } from "./exit.ts";

export type GlobalOptions = {
  readonly url?: string;
  readonly key?: string;
  readonly token?: string;
  readonly json?: boolean;
};

/** What proves who asks, and where it was found, for people to read. */
export type Credential = { readonly secret: string; readonly origin: string };

type Environment = CliHouse["environment"];

const usualUrl = "http://127.0.0.1:8787";

/** Address of the server: `--url`, else `SKILLBOSS_URL`, else that of a server on this machine. */
export function serverUrl(options: GlobalOptions, environment: Environment): string {
  const given = stated(options.url) ?? stated(environment.url) ?? usualUrl;
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol) || url.username !== "") {
    throw new WrongUse(`Not an address of a server: ${given}. Want for example ${usualUrl}.`);
  }
  // OpenAI's clients take the address with its version: people paste it so.
  return `${url.origin}${url.pathname}`.replace(/\/+$/, "").replace(/\/v1$/, "");
}

export function customerKey(options: GlobalOptions, environment: Environment): Credential {
  const found = firstOf([
    [options.key, "the API key of --key"],
    [environment.apiKey, "the API key of SKILLBOSS_API_KEY"],
  ]);
  if (found !== undefined) return found;
  throw new WrongUse(
    "This takes an API key: --key or SKILLBOSS_API_KEY.\n" +
      "The operator makes one: skillboss keys create <account> --mode test",
  );
}

/**
 * `--token`, else `SKILLBOSS_OPERATOR_TOKEN`, else the file that the server wrote. The file's token is that of the
 * server on this machine and is sent to no other.
 */
export function operatorToken(options: GlobalOptions, environment: Environment): Credential {
  const found = firstOf([
    [options.token, "the operator token of --token"],
    [environment.operatorToken, "the operator token of SKILLBOSS_OPERATOR_TOKEN"],
  ]);
  if (found !== undefined) return found;
  const path = join(environment.dataDirectory, "operator-token");
  const url = serverUrl(options, environment);
  if (!isThisMachine(new URL(url).hostname)) {
    throw new WrongUse(
      `This takes the operator token of ${url}: --token or SKILLBOSS_OPERATOR_TOKEN.\n` +
        "It lies in the data directory of that server, in the file operator-token.",
    );
  }
  return { secret: sendable(tokenIn(path), path), origin: `the operator token in ${path}` };
}

function tokenIn(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    throw new WrongUse(
      `This takes the operator token, and there is none to read at ${path}${isMissing ? "" : " (it may not be read)"}.\n` +
        "The server writes it there at its first start. Run this where the server runs, with its SKILLBOSS_DATA_DIR,\n" +
        "or give the token with --token or SKILLBOSS_OPERATOR_TOKEN.",
      { cause: error },
    );
  }
}

function firstOf(
  places: readonly (readonly [secret: string | undefined, origin: string])[],
): Credential | undefined {
  for (const [secret, origin] of places) {
    const text = stated(secret);
    if (text !== undefined) return { secret: sendable(text, origin), origin };
  }
  return undefined;
}

/** A header takes no spaces or letters beyond ASCII; the secret itself stays out of the message. */
function sendable(secret: string, origin: string): string {
  if (/^[\u0021-\u007e]+$/.test(secret)) return secret;
  throw new WrongUse(`Not a key or token: ${origin}. It has characters that none has, or nothing at all.`);
}

/** An empty variable is as good as none. */
function stated(text: string | undefined): string | undefined {
  const trimmed = text?.trim();
  return trimmed === "" ? undefined : trimmed;
}

function isThisMachine(hostname: string): boolean {
  return (
    hostname === "localhost" ||
    hostname.endsWith(".localhost") ||
    /^127(?:\.\d+){3}$/.test(hostname) ||
    ["[::1]", "0.0.0.0", "[::]"].includes(hostname)
  );
}
