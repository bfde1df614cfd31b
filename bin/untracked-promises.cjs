"use strict";
/**
 * Loaded into every process of the test runner before anything else. The runner keeps account of every promise, to know the
 * test in whose name one was rejected that nobody waits for; that costs a tenth of all that the tests compute. Without it
 * such a rejection fails the file instead of the test.
 */
const hooks = require("node:async_hooks");
const { isMainThread } = require("node:worker_threads");

// Workers and child processes of a test inherit how it was started; they are not test files.
if (isMainThread && process.env.NODE_TEST_CONTEXT !== undefined && process.argv[1]?.endsWith(".test.ts")) {
  const { createHook } = hooks;
  hooks.createHook = (callbacks) => createHook({ trackPromises: false, ...callbacks });
  process.on("unhandledRejection", (reason) => {
    process.exitCode = 1;
    process.stderr.write(`✗ rejected, and nobody waits for it: ${reason?.stack ?? reason}\n`);
  });
}
