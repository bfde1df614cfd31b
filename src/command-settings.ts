import { resolve } from "node:path";

export type Environment = Readonly<Record<string, string | undefined>>;

/** What the command line reads and the server does not. */
export const commandVariables: readonly string[] = ["SKILLBOSS_URL", "SKILLBOSS_API_KEY"];

export type CommandSettings = {
  /** Where the server is, unless a command says otherwise. */
  readonly url: string | undefined;
  readonly apiKey: string | undefined;
  readonly operatorToken: string | undefined;
  readonly dataDirectory: string;
};

/** What the command line needs to reach a server: no fault of the server's own variables stops it. */
export function readCommandSettings(environment: Environment): CommandSettings {
  const value = (name: string) => (environment[name] === "" ? undefined : environment[name]);
  const port = value("PORT");
  return {
    url: value("SKILLBOSS_URL") ?? (port === undefined ? undefined : `http://127.0.0.1:${port}`),
    apiKey: value("SKILLBOSS_API_KEY"),
    operatorToken: value("SKILLBOSS_OPERATOR_TOKEN"),
    dataDirectory: resolve(value("SKILLBOSS_DATA_DIR") ?? ".skillboss"),
  };
}
