import { Argument } from "commander";
import type { Command } from "commander";
import { catalogFileKinds } from "./cli-house.ts";
import type { CatalogFileKind, CheckedCatalog } from "./cli-house.ts";
import type { Desk } from "./desk.ts";
import { exitCodes } from "./exit.ts";
import { counted } from "./readable.ts";

/** `skillboss catalog …`: the data of providers, models and prices, looked at before a server is started. */
export function addCatalog(program: Command, desk: Desk): void {
  const catalog = program
    .command("catalog")
    .description("look after the data of providers, models and prices")
    .helpCommand(false);
  addCheck(catalog, desk);
  addSchema(catalog, desk);
}

function addCheck(catalog: Command, desk: Desk): void {
  catalog
    .command("check")
    .argument("[folder]", "a folder like SKILLBOSS_CATALOG_DIR; without one the built-in data alone")
    .description("read the data as a server would; name every faulty file, line, field and fault")
    .addHelpText(
      "after",
      "\nExamples:\n  skillboss catalog check\n  skillboss catalog check ./my-catalog --json",
    )
    .action(async (folder: string | undefined) => {
      const checked = await desk.house.checkCatalog(folder);
      if (checked.faults.length > 0) desk.exitCode = exitCodes.failed;
      await desk.show({ ok: checked.faults.length === 0, ...checked }, (shown) => checkText(shown, folder));
    });
}

function checkText(
  { files, faults, models, providers }: CheckedCatalog,
  folder = "the built-in data",
): string {
  const read = `${counted(files, "file")} of ${folder} read`;
  if (faults.length === 0)
    return `${read}; with them ${models} models of ${providers} providers, no faults.\n`;
  const lines = faults.map(({ file, line, path, fault }) => {
    const place = line === undefined ? file : `${file}:${line}`;
    return `${place}: ${path === "" ? "" : `${path}: `}${fault}\n`;
  });
  return `${lines.join("")}${read}.\n`;
}

function addSchema(catalog: Command, desk: Desk): void {
  catalog
    .command("schema")
    .addArgument(new Argument("<kind>", "of the file").choices(catalogFileKinds))
    .description("the JSON Schema of a kind of file, for editors and generators")
    .addHelpText("after", "\nExample:\n  skillboss catalog schema model > model.schema.json")
    .action(async (kind: CatalogFileKind) => {
      const schema = await desk.house.catalogSchema(kind);
      await desk.show(schema, () => `${JSON.stringify(schema, null, 2)}\n`);
    });
}
