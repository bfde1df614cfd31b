import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { CliHouse } from "./cli-house.ts";
import { customerKey, operatorToken, serverUrl } from "./credentials.ts";
import { WrongUse } from "./exit.ts";

const dataDirectory = mkdtempSync(join(tmpdir(), "skillboss-cli-"));
writeFileSync(join(dataDirectory, "operator-token"), "op-file\n");
after(() => rmSync(dataDirectory, { recursive: true }));

const none: CliHouse["environment"] = {
  url: undefined,
  apiKey: undefined,
  operatorToken: undefined,
  dataDirectory,
};

function sentence(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof WrongUse);
    return error.message;
  }
  return assert.fail("nothing was refused");
}

test("The operator token is that of --token, else of the variable, else of the data directory.", () => {
  const environment = { ...none, operatorToken: "op-variable" };
  assert.equal(operatorToken({ token: "op-option" }, environment).secret, "op-option");
  assert.equal(operatorToken({}, environment).secret, "op-variable");
  assert.equal(operatorToken({}, { ...environment, operatorToken: "" }).secret, "op-file");
});

test("A missing operator token is told with the path where it would lie.", () => {
  const said = sentence(() => operatorToken({}, { ...none, dataDirectory: "/nonexistent" }));
  assert.match(said, /\/nonexistent\/operator-token[^]*--token or SKILLBOSS_OPERATOR_TOKEN/);
});

test("The token of this machine's server goes to no other machine.", () => {
  for (const url of ["http://127.0.0.1:9", "http://localhost:9", "http://[::1]:9", "http://127.3.2.1"]) {
    assert.equal(operatorToken({ url }, none).secret, "op-file", url);
  }
  for (const url of ["http://example.com", "http://127.0.0.1.example.com", "http://localhost.example.com"]) {
    assert.match(
      sentence(() => operatorToken({ url }, none)),
      /--token/,
      url,
    );
  }
  assert.equal(operatorToken({ url: "http://example.com", token: "op-x" }, none).secret, "op-x");
});

test("A missing API key is told with how to make one.", () => {
  assert.equal(customerKey({ key: "sk-a" }, { ...none, apiKey: "sk-b" }).secret, "sk-a");
  assert.equal(customerKey({}, { ...none, apiKey: "sk-b" }).secret, "sk-b");
  assert.match(
    sentence(() => customerKey({}, { ...none, apiKey: " " })),
    /skillboss keys create/,
  );
});

test("A secret that no header can carry is refused without being shown.", () => {
  const said = sentence(() => customerKey({ key: "sk-ü secret" }, none));
  assert.ok(!said.includes("secret"));
  assert.match(said, /--key/);
});

test("An address may end in a slash or in /v1 and is a web address.", () => {
  for (const url of ["http://h:1", "http://h:1/", "http://h:1/v1", "http://h:1/v1/"]) {
    assert.equal(serverUrl({ url }, none), "http://h:1");
  }
  assert.equal(serverUrl({}, none), "http://127.0.0.1:8787");
  assert.equal(serverUrl({}, { ...none, url: "https://h/sub/" }), "https://h/sub");
  for (const url of ["h:1", "file:///x", "127.0.0.1:8787", "http://user:pass@h"]) {
    assert.match(
      sentence(() => serverUrl({ url }, none)),
      /Not an address/,
      url,
    );
  }
});
