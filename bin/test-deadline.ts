/**
 * Loaded into every process of the test runner. A test file whose process stays alive after its last test (a hook that
 * failed before it closed a server, say) would be waited for without end: here it fails instead, and says what kept it.
 * The runner's own `--test-timeout` bounds tests only, neither hooks nor the process.
 */
import { after } from "node:test";
import { isMainThread } from "node:worker_threads";
import { isWholePlan } from "../tests/support/plan-scale.ts";

const afterTheLastTestMs = 90_000;
const wholeFileMs = (isWholePlan ? 90 : 10) * 60_000;

// Taken now: tests put false clocks in their place.
const { setTimeout } = globalThis;

function endAfter(ms: number, what: string): void {
  setTimeout(() => {
    const kept = process.getActiveResourcesInfo().join(", ");
    process.stderr.write(`✗ ${process.argv[1]} did not end ${what}; kept alive by: ${kept}\n`);
    process.exit(1);
  }, ms).unref();
}

// Workers and child processes of a test inherit how it was started; they are not test files.
const isTestFile = isMainThread && process.argv[1]?.endsWith(".test.ts") === true;
if (isTestFile && process.env["NODE_TEST_CONTEXT"] !== undefined) {
  endAfter(wholeFileMs, `within ${wholeFileMs / 60_000} minutes`);
  // Node 24 can turn for ever while it tidies up behind the last event, waiting for a request of a child that was killed.
  process.once("beforeExit", () => process.on("exit", (code) => process.exit(code)));
  after(() => endAfter(afterTheLastTestMs, `within ${afterTheLastTestMs / 1000} s of its last test`));
}
