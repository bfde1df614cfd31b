import type { Command } from "commander";
import type { Desk } from "./desk.ts";
import { exitCodes } from "./exit.ts";

/** `skillboss catalog check`: whether a folder of providers, models and prices can be read, before a server is started. */
export function addCatalog(program: Command, desk: Desk): void {
  program
    .command("catalog")
    .description("look after the data of providers, models and prices")
    .command("check")
    .argument("[folder]", "a folder like SKILLBOSS_CATALOG_DIR; without one the built-in data alone")
    .description("read the data as a server would; name every faulty file, field and fault")
    .addHelpText(
      "after",
      "\nExamples:\n  skillboss catalog check\n  skillboss catalog check ./my-catalog --json",
    )
    .action(async (folder: string | undefined) => {
      const checked = await desk.house.checkCatalog(folder);
      if (checked.faults.length > 0) desk.exitCode = exitCodes.failed;
      await desk.show({ ok: checked.faults.length === 0, ...checked }, ({ faults, models, providers }) =>
        faults.length === 0
          ? `${models} models of ${providers} providers, no faults.\n`
          : `${faults.map(({ file, path, fault }) => `${file}: ${path === "" ? "" : `${path}: `}${fault}`).join("\n")}\n`,
      );
    });
}
