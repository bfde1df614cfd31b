import { Option } from "commander";
import type { Command } from "commander";
import { jobStatuses } from "../client/run-client.ts";
import type { JobAnswer, JobsAnswer, JobStatus } from "../client/run-client.ts";
import type { Desk } from "./desk.ts";
import { wholeNumber } from "./option-values.ts";
import { readableTime } from "./readable.ts";
import { table } from "./table.ts";

type ListOptions = { readonly status?: JobStatus; readonly limit: number };

/** `skillboss jobs`: runs by their id. */
export function addJobs(program: Command, desk: Desk): void {
  const jobs = program.command("jobs").description("list, show and cancel runs (API key)").helpCommand(false);
  jobs
    .command("list")
    .description("the latest runs")
    .addOption(new Option("--status <status>", "only these").choices(jobStatuses))
    .option("--limit <n>", "how many", wholeNumber(200, 1), 20)
    .action(async ({ status, limit }: ListOptions) =>
      desk.show(await desk.customer().runs.list({ status, limit }), listText),
    );
  jobs
    .command("show")
    .argument("<id>", "run_…")
    .description("how far a run is, and its result")
    .action(async (id: string) => desk.show(await desk.customer().runs.read(id), jobText));
  jobs
    .command("cancel")
    .argument("<id>", "run_…")
    .description("call a run off that waits at its provider; nothing is charged")
    .action(async (id: string) => desk.show(await desk.customer().runs.cancel(id), jobText));
  jobs.addHelpText(
    "after",
    "\nExamples:\n  skillboss jobs list --status running\n  skillboss jobs show run_0123…\n  skillboss jobs cancel run_0123…",
  );
}

function listText({ jobs }: JobsAnswer): string {
  if (jobs.length === 0) return "No runs.\n";
  const columns = [{ title: "Begun (UTC)" }, { title: "Model" }, { title: "Status" }, { title: "Run" }];
  return table(
    columns,
    jobs.map((job) => [readableTime(job.created_at), job.model, job.status, job.job_id]),
  );
}

function jobText(job: JobAnswer): string {
  const progress = job.progress === undefined ? "" : `, ${Math.floor(job.progress * 100)} %`;
  const head = `${job.job_id} ${job.model}: ${job.status}${progress}\n`;
  if (job.error !== undefined)
    return `${head}${job.error}${job.error_param === undefined ? "" : ` (at ${job.error_param})`}\n`;
  return job.result === undefined ? head : `${head}${JSON.stringify(job.result, null, 2)}\n`;
}
