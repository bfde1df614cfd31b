import { PassThrough } from "node:stream";
import { runCommandLine } from "./commands.ts";
import type { CliHouse } from "./commands.ts";

/** For tests: runs one command line and keeps what it wrote. */
export type Ran = {
  readonly exitCode: number;
  readonly output: string;
  readonly errors: string;
};

export type RunSettings = {
  readonly environment?: Partial<CliHouse["environment"]>;
  readonly input?: string;
  readonly isTerminal?: boolean;
  readonly serve?: CliHouse["serve"];
  /** Called with all that is on standard output so far, whenever more is. */
  readonly onOutput?: (output: string, stream: PassThrough) => void;
};

export async function run(words: readonly string[], settings: RunSettings = {}): Promise<Ran> {
  const output = kept(settings.onOutput);
  const errors = kept();
  const input = new PassThrough();
  input.end(settings.input ?? "");
  const exitCode = await runCommandLine(words, {
    serve: settings.serve ?? (() => Promise.reject(new Error("no server in this test"))),
    checkCatalog: () => Promise.resolve({ files: 0, models: 0, providers: 0, faults: [] }),
    catalogSchema: () => Promise.resolve({}),
    environment: {
      url: undefined,
      apiKey: undefined,
      operatorToken: undefined,
      dataDirectory: "/nonexistent/skillboss",
      ...settings.environment,
    },
    standardOutput: Object.assign(output.stream, { isTTY: settings.isTerminal === true }),
    standardError: errors.stream,
    standardInput: input,
    version: "1.2.3",
  });
  return { exitCode, output: output.text(), errors: errors.text() };
}

function kept(onText?: (text: string, stream: PassThrough) => void) {
  const stream = new PassThrough();
  let text = "";
  stream.setEncoding("utf8").on("data", (part: string) => {
    text += part;
    onText?.(text, stream);
  });
  return { stream, text: () => text };
}
