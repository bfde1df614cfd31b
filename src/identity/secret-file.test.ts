import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { houseSecretIn } from "./house-secret.ts";
import { operatorTokenIn } from "./operator-token.ts";
import { secretIn } from "./secret-file.ts";

const directory = mkdtempSync(join(tmpdir(), "skillboss-secret-"));
after(() => rmSync(directory, { recursive: true }));

const secret = "a secret of more than thirty-two characters";

test("a secret is made once, for its owner's eyes, and nothing else is left beside it", () => {
  const path = join(directory, "made-once");
  assert.equal(
    secretIn(path, () => secret),
    secret,
  );
  assert.equal(
    secretIn(path, () => "another secret of more than thirty-two characters"),
    secret,
  );
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(directory), ["made-once"]);
});

test("what another process makes meanwhile is what both have", () => {
  const path = join(directory, "made-by-two");
  const found = secretIn(path, () => {
    writeFileSync(path, `${secret}\n`);
    return "ours, of more than thirty-two characters too";
  });
  assert.equal(found, secret);
  assert.equal(readFileSync(path, "utf8"), `${secret}\n`);
});

test("a file that a crash left empty, or cut short, is no secret: the start ends with a sentence", () => {
  for (const left of ["", "\n", "op-tooshort\n"]) {
    for (const name of ["operator-token", "secret-key"]) writeFileSync(join(directory, name), left);
    assert.throws(
      () => operatorTokenIn(directory, undefined),
      /operator-token has \d+ characters; want at least 32/,
    );
    assert.throws(
      () => houseSecretIn(directory, undefined),
      /secret-key has \d+ characters; want at least 32/,
    );
  }
});
