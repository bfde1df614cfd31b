import type { Command } from "commander";
import type { Desk } from "./desk.ts";

type ServeFlags = { readonly starter?: boolean; readonly quiet?: boolean };

/** `skillboss serve`: the server itself, until it is told to stop. */
export function addServe(program: Command, desk: Desk): void {
  program
    .command("serve")
    .description("start the server")
    .option("--starter", "make account owner with credits and keys, once, and show them")
    .option("--quiet", "print the address only")
    .addHelpText(
      "after",
      "\nHOST and PORT say where it listens (127.0.0.1, 8787), <PROVIDER>_API_KEY which providers it may use,\n" +
        "SKILLBOSS_DATA_DIR where it keeps its data (.skillboss), DATABASE_URL and REDIS_URL what to use instead.\n\n" +
        "Examples:\n  skillboss serve --starter\n  PORT=9000 OPENAI_API_KEY=sk-… skillboss serve --quiet",
    )
    .action(async ({ starter, quiet }: ServeFlags) => {
      desk.exitCode = await desk.house.serve({
        starter: starter === true,
        quiet: quiet === true,
        json: desk.isJson,
      });
    });
}
