import type { Command } from "commander";
import type { AuditAnswer } from "../client/answers.ts";
import type { Desk } from "./desk.ts";
import { exitCodes } from "./exit.ts";
import { counted } from "./readable.ts";

/** `skillboss audit`: whether every balance is the sum of its transfers. */
export function addAudit(program: Command, desk: Desk): void {
  program
    .command("audit")
    .description("prove that all books add up; exit code 1 when they do not (operator)")
    .addHelpText("after", "\nExamples:\n  skillboss audit\n  skillboss audit --json")
    .action(async () => {
      const audit = await desk.operator().audit();
      if (!audit.ok) desk.exitCode = exitCodes.failed;
      await desk.show(audit, auditText);
    });
}

function auditText({ ok, books, transfers, open_holds, faults }: AuditAnswer): string {
  const seen = `${counted(books, "book")}, ${counted(transfers, "transfer")}, ${counted(open_holds, "open hold")}`;
  if (ok) return `The books add up: ${seen}.\n`;
  return `The books do not add up (${seen}):\n${faults.map((fault) => `  ${fault}\n`).join("")}`;
}
