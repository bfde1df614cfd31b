/** Prints what fails as it fails, what was skipped and why, and last the line `N passed, N failed`. */
import type { TestEvent } from "node:test/reporters";

const slowMs = 5000;

/** What was counted so far. */
class Count {
  passed = 0;
  failed = 0;
  readonly skipped: string[] = [];

  /** What is to be printed for an event. */
  take(event: TestEvent): string {
    if (event.type === "test:stderr") return event.data.message;
    if (event.type !== "test:pass" && event.type !== "test:fail") return "";
    if (event.data.details.type === "suite" && !failedItself(event)) return "";
    return event.type === "test:pass" ? this.#passed(event.data) : this.#failed(event.data);
  }

  #passed({ name, skip, details }: Extract<TestEvent, { type: "test:pass" }>["data"]): string {
    if (skip !== undefined) this.skipped.push(`${name}: ${String(skip)}`);
    else this.passed += 1;
    return details.duration_ms > slowMs
      ? `  slow (${(details.duration_ms / 1000).toFixed(1)} s): ${name}\n`
      : "";
  }

  #failed({ name, file, line, details }: Extract<TestEvent, { type: "test:fail" }>["data"]): string {
    this.failed += 1;
    return `\n✗ ${name} (${file ?? "?"}:${line ?? 0})\n${reasonOf(details.error)}\n`;
  }
}

// The test runner takes a reporter by its default export.
// oxlint-disable-next-line import/no-default-export
export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const count = new Count();
  for await (const event of events) yield count.take(event);
  for (const line of count.skipped) yield `skipped: ${line}\n`;
  const checks = (process.env["SKILLBOSS_FAILED_CHECKS"] ?? "").split(", ").filter((name) => name !== "");
  for (const name of checks) yield `✗ ${name}: see above\n`;
  yield `${count.passed} passed, ${count.failed + checks.length} failed\n`;
}

/** A hook of the suite failed, say, and not one of its tests, which is counted already. */
function failedItself(event: TestEvent): boolean {
  if (event.type !== "test:fail") return false;
  const { error } = event.data.details;
  return !("failureType" in error && error.failureType === "subtestsFailed");
}

function reasonOf(error: Error & { readonly cause?: unknown }): string {
  const cause = error.cause instanceof Error ? error.cause : error;
  return cause.stack ?? cause.message;
}
