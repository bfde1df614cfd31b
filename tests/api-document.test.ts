import assert from "node:assert/strict";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { signedHeaders } from "../src/calls/webhooks/signature.ts";
import { sizeText } from "../src/core/sizes.ts";
import { fileLimits } from "../src/files/file-limits.ts";

/** What docs/api.md says is so. */
const root = join(import.meta.dirname, "..");
const text = readFileSync(join(root, "docs", "api.md"), "utf8");
const directory = mkdtempSync(join(tmpdir(), "skillboss-api-"));
after(() => rmSync(directory, { recursive: true }));

test("docs/api.md has every header and member of ours that an answer may have", () => {
  const code = globSync(join(root, "src/{http,calls}/**/*.ts"))
    .filter((path) => !path.endsWith(".test.ts"))
    .map((path) => readFileSync(path, "utf8"))
    .join("\n");
  const headers = new Set(code.match(/\bx-skillboss-[a-z-]+/g));
  const members = new Set(code.match(/\b_(?:balance_warning|remaining_credits|limited_by|call_cost_usd)\b/g));
  assert.ok(headers.size >= 7 && members.size === 4);
  for (const name of [...headers, ...members]) assert.ok(text.includes(`| \`${name}\``), name);
});

test("docs/api.md tells the size and lifetime of files as the code has them", () => {
  for (const [plan, { maxBytes, lifetimeMs }] of Object.entries(fileLimits)) {
    const days = lifetimeMs / 86_400_000;
    assert.ok(
      text.includes(`| ${plan} | ${sizeText(maxBytes)} | ${days} day${days === 1 ? "" : "s"} |`),
      plan,
    );
  }
});

test("docs/api.md's sample takes our signatures and no others", async () => {
  const [, sample = ""] = /^```js\n([^]*?)^```/m.exec(text) ?? [];
  const path = join(directory, "sample.mjs");
  writeFileSync(path, sample);
  const { isFromSkillBoss } = await import(pathToFileURL(path).href);
  const key = Buffer.alloc(32, 7);
  const secret = `whsec_${key.toString("base64")}`;
  const body = '{"type":"run.completed"}';
  const at = performance.timeOrigin + performance.now();
  const message = { id: "msg_1", body, at };
  assert.equal(isFromSkillBoss(signedHeaders(message, [Buffer.alloc(32, 1), key]), body, secret), true);
  assert.equal(isFromSkillBoss(signedHeaders(message, [key]), `${body} `, secret), false);
  assert.equal(isFromSkillBoss(signedHeaders(message, [Buffer.alloc(32, 1)]), body, secret), false);
  assert.equal(isFromSkillBoss(signedHeaders({ ...message, at: at - 600_000 }, [key]), body, secret), false);
});

test("README leads to every page of docs", () => {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  for (const path of globSync("docs/*.md", { cwd: root })) assert.ok(readme.includes(`(${path})`), path);
});
