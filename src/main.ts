import { runCommandLine } from "./cli/commands.ts";
import { readCommandSettings } from "./command-settings.ts";
import { version } from "./version.ts";

// Whoever kills the launcher means the server; its channel closes with it.
if (process.env["SKILLBOSS_LAUNCHED"] !== undefined) {
  process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
  process.channel?.unref();
}

try {
  process.exitCode = await runCommandLine(process.argv.slice(2), {
    serve: async (options) => {
      // The other commands do not wait for the server's code to load.
      const { readConfig } = await import("./config.ts");
      const { providerFaults } = await import("./provider-faults.ts");
      const config = readConfig(process.env, providerFaults);
      const { standardLog } = await import("./logging.ts");
      const { warnOfUnread } = await import("./unread-variables.ts");
      const log = standardLog(config.logLevel);
      warnOfUnread(process.env, config.catalogDirectories, log);
      const { serve } = await import("./serve.ts");
      return serve(config, log, options);
    },
    checkCatalog: async (folder) => (await import("./check-catalog.ts")).checkCatalog(folder),
    catalogSchema: async (kind) => (await import("./catalog/json-schema.ts")).catalogJsonSchema(kind),
    environment: readCommandSettings(process.env),
    standardOutput: process.stdout,
    standardError: process.stderr,
    version,
  });
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
// Node 24 can turn for ever while it tidies up behind the last event, so it does not get to that.
process.on("exit", (code) => process.exit(code));
// Nothing that is still open may keep a finished command alive.
setTimeout(() => process.exit(), 2_000).unref();
