import assert from "node:assert/strict";
import type { Gateway } from "./gateway.ts";
import { micro } from "./money-trail.ts";
import type { Line } from "./money-trail.ts";

/** All lines at an address of transfers, read in pages of many sizes, each of which gives the same. */
export async function linesInEveryPageSize(gateway: Gateway, path: string): Promise<readonly Line[]> {
  const { body: all } = await gateway.admin("GET", path);
  assert.deepEqual(Object.keys(all), ["object", "data", "has_more"]);
  assert.deepEqual([all.object, all.has_more], ["list", false]);
  const lines: readonly Line[] = all.data;
  for (const [index, line] of lines.entries()) assertForm(line, index + 1);
  for (const limit of [1, 3, 7, lines.length - 1, lines.length, 1000])
    assert.deepEqual(await inPages(gateway, path, limit), lines, `in pages of ${limit}`);
  const { body: beyond } = await gateway.admin("GET", `${path}&after=${lines.length}`);
  assert.deepEqual([beyond.data, beyond.has_more], [[], false]);
  return lines;
}

async function inPages(gateway: Gateway, path: string, limit: number): Promise<readonly Line[]> {
  const lines: Line[] = [];
  for (;;) {
    const { body } = await gateway.admin("GET", `${path}&after=${lines.length}&limit=${limit}`);
    assert.ok(body.data.length > 0, "a page that was promised has lines");
    lines.push(...body.data);
    if (body.has_more !== true) return lines;
    assert.equal(body.data.length, limit);
  }
}

function assertForm(line: Line & { readonly at?: string }, sequence: number): void {
  assert.deepEqual(Object.keys(line), ["sequence", "id", "call_id", "kind", "amount", "book", "at"]);
  assert.equal(line.sequence, sequence);
  assert.match(line.amount, /^-?\d+\.\d{6}$/);
  assert.match(line.at ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  if (line.kind === "grant") assert.equal(line.call_id, null);
  else assert.equal(line.id, `${line.call_id}:${line.kind}`);
}

const books = ["available", "held", "revenue", "loss", "grants"] as const;

/** What the lines of each book add up to. */
export function sumsOf(lines: readonly Line[]): Readonly<Record<(typeof books)[number], bigint>> {
  assert.ok(lines.every((line) => books.some((book) => book === line.book)));
  const sum = (book: string) =>
    lines.filter((line) => line.book === book).reduce((total, { amount }) => total + micro(amount), 0n);
  return {
    available: sum("available"),
    held: sum("held"),
    revenue: sum("revenue"),
    loss: sum("loss"),
    grants: sum("grants"),
  };
}
