/**
 * `npm test`: format, lint, types, then every test. Ends with the line `N passed, N failed`.
 * Arguments are test files to run instead of all (the other checks are then left out).
 * `npm run test:plan`: the cases that have a quick and a whole form, in the whole one, one file after the other.
 */
import { spawn } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { sharedServerVariable, startSharedPostgres } from "../tests/support/postgres.ts";
import { planVariable } from "../tests/support/plan-scale.ts";
import { inGroups } from "./test-groups.ts";

const wholePlan = process.argv.includes("--plan");
const asked = process.argv.slice(2).filter((argument) => argument !== "--plan");

type Step = { readonly name: string; readonly command: string; readonly args: readonly string[] };

const checks: readonly Step[] = [
  { name: "format", command: "oxfmt", args: ["--check"] },
  { name: "types", command: "tsc", args: [] },
  { name: "lint", command: "oxlint", args: [] },
];

/**
 * Many tests wait more than they compute: one more than the two cores of a small machine. With two more, all is over hardly
 * sooner, and a start that a test has under three seconds takes longer.
 */
const filesAtOnce = wholePlan ? 1 : 3;
const groups = 6;
const oneTestMs = wholePlan ? 40 * 60_000 : 180_000;

function run(step: Step): Promise<boolean> {
  console.log(`— ${step.name}`);
  return new Promise((resolve) => {
    const child = spawn(step.command, step.args, { stdio: ["ignore", "inherit", "inherit"] });
    child.on("error", (error) => {
      console.error(`${step.command} could not be started: ${error.message}`);
      resolve(false);
    });
    child.on("exit", (code) => resolve(code === 0));
  });
}

/** Up to this many start a server of their own when they need one. */
const fewFiles = 3;

const failed: string[] = [];
const isEverything = asked.length === 0 && !wholePlan;
const checking = isEverything ? checks : [];
await Promise.all(
  checking.map(async (step) => {
    if (!(await run(step))) failed.push(step.name);
  }),
);
const all = globSync(["src/**/*.test.ts", "tests/**/*.test.ts"]).toSorted();
const scaled = (file: string): boolean => readFileSync(file, "utf8").includes("plan-scale.ts");
const meant = wholePlan ? all.filter(scaled) : all;
const files = asked.length > 0 ? asked : meant;
const reporter = new URL("./count-reporter.ts", import.meta.url).href;
const deadline = new URL("./test-deadline.ts", import.meta.url).href;
const untrackedPromises = fileURLToPath(new URL("./untracked-promises.cjs", import.meta.url));
const tests: Step = {
  name: `tests (${files.length} files)`,
  command: process.execPath,
  args: [
    "--test",
    `--test-concurrency=${filesAtOnce}`,
    `--test-timeout=${oneTestMs}`,
    `--test-reporter=${reporter}`,
    `--require=${untrackedPromises}`,
    `--import=${deadline}`,
    ...(isEverything ? inGroups(files, groups) : files),
  ],
};
if (wholePlan) process.env[planVariable] = "whole";
process.env["SKILLBOSS_FAILED_CHECKS"] = failed.join(", ");
const server = files.length > fewFiles ? await startSharedPostgres() : undefined;
if (server !== undefined) process.env[sharedServerVariable] = server.url;
if (!(await run(tests))) failed.push("tests");
await server?.stop();
process.exit(failed.length === 0 ? 0 : 1);
