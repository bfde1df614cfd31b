import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { runShell } from "./support/program.ts";

/** The first start where packages cannot be had. */
const root = join(import.meta.dirname, "..");
const directory = mkdtempSync(join(tmpdir(), "skillboss-offline-"));
after(() => rmSync(directory, { recursive: true, force: true }));

/** A checkout as it comes from git, as far as a start looks at it. */
function checkout(name: string): string {
  const folder = join(directory, name);
  mkdirSync(folder);
  for (const path of ["bin", "package.json", "package-lock.json"])
    cpSync(join(root, path), join(folder, path), { recursive: true });
  return folder;
}

async function start(folder: string, registry: string) {
  const began = performance.now();
  const ended = await runShell(`node ${folder}/bin/skillboss.cjs serve`, {
    npm_config_registry: registry,
    npm_config_cache: join(directory, "cache"),
  });
  return { ...ended, seconds: (performance.now() - began) / 1_000 };
}

test("a first start without a network ends soon, with one sentence that says what to do", async () => {
  const { code, output, errors, seconds } = await start(checkout("offline"), "http://127.0.0.1:9/");
  assert.equal(code, 1);
  assert.equal(output, "");
  assert.ok(seconds < 25, `${seconds} s`);
  const [first = "", sentence = "", ...more] = errors.trimEnd().split("\n");
  assert.match(first, /^Installing the dependencies …$/);
  assert.match(
    sentence,
    /^The dependencies could not be installed: .*registry.*\(ECONNREFUSED\)\. .*start again\.$/,
  );
  assert.deepEqual(more, []);
});

test("a registry that refuses is told with npm's last words, without its stack", async () => {
  const server = createServer((_, response) => response.writeHead(403).end("no"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const { code, errors } = await start(checkout("refused"), `http://127.0.0.1:${port}/`);
  server.close();
  assert.equal(code, 1);
  const lines = errors.trimEnd().split("\n");
  assert.ok(lines.length <= 6, errors);
  assert.match(errors, /403/);
  assert.match(lines.at(-1) ?? "", /^The dependencies could not be installed: npm says why above\./);
  assert.doesNotMatch(errors, /^\s+at |New minor version|npm notice/m);
});
