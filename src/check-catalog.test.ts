import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { after, test } from "node:test";
import { loadCatalog } from "./catalog/load.ts";
import { checkedSources, checkCatalog } from "./check-catalog.ts";

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function folderOf(files: Readonly<Record<string, unknown>>): string {
  const folder = mkdtempSync(join(tmpdir(), "catalog-check-"));
  folders.push(folder);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), JSON.stringify(content, null, 2));
  }
  return folder;
}

const offer = {
  provider: "firecrawl",
  upstream_model: "search",
  request: { path: "/search", body: { q: "$.inputs.query" } },
  output: { results: "$.res" },
  meters: [{ meter: "requests" }],
};
const model = {
  id: "own/search",
  kind: "run",
  category: "search",
  inputs: { type: "object", required: ["query"], properties: { query: { type: "string", minLength: 2 } } },
  example: { query: "tea" },
  retail: [{ meter: "requests", per: 1, usd: "0.01" }],
  offers: [offer],
};

/** `field: fault` of each, after it was seen that a server says the same and that the file and a line are named. */
function faultsIn(content: object): readonly string[] {
  const folder = folderOf({ "models/own.json": content });
  const { faults } = checkCatalog(folder);
  for (const { file, line, path, fault } of faults) {
    assert.equal(file, join(folder, "models", "own.json"));
    assert.ok(line !== undefined && line >= 1);
    const builtIn = join(import.meta.dirname, "..", "catalog");
    assert.throws(
      () => loadCatalog(checkedSources([builtIn, folder], { trusted: builtIn })),
      (error: Error) => error.message.includes(`own.json:${line}: ${path}: ${fault}`),
    );
  }
  return faults.map(({ path, fault }) => `${path}: ${fault}`);
}

test("the built-in data has no faults, and neither has a small model of the operator's", () => {
  assert.deepEqual(checkCatalog(undefined).faults, []);
  assert.deepEqual(faultsIn(model), []);
  assert.deepEqual(faultsIn({ ...model, example: undefined }), []);
});

test("a meter without a price is a fault where it is metered", () => {
  const metered = { ...offer, meters: [{ meter: "requests" }, { meter: "images" }] };
  assert.deepEqual(faultsIn({ ...model, offers: [metered] }), [
    "offers[0].meters[1].meter: images has no price: give the model's retail, or the offer's price, a rate for it",
  ]);
  const price = [{ meter: "requests", per: 1, usd: "0.01", when: { input_tokens_gt: 5 } }];
  assert.match(
    faultsIn({ ...model, offers: [{ ...offer, price }] }).join(),
    /^offers\[0\]\.meters\[0\]\.meter:/,
  );
});

test("inputs that are no JSON Schema are a fault at the member that is none", () => {
  const inputs = { type: "object", properties: { query: { type: "strng" } } };
  assert.match(
    faultsIn({ ...model, inputs }).join("\n"),
    /^inputs\.properties\.query\.type: is no JSON Schema: /,
  );
  const pattern = { type: "object", properties: { query: { type: "string", pattern: "(" } } };
  assert.match(faultsIn({ ...model, inputs: pattern }).join("\n"), /^inputs.*: is no JSON Schema: /);
  const lost = { type: "object", properties: { query: { $ref: "#/$defs/none" } } };
  assert.match(faultsIn({ ...model, inputs: lost }).join("\n"), /^inputs: is no JSON Schema: /);
});

test("a path to an input that closed inputs do not have is a fault, wherever it stands", () => {
  const request = {
    path: "/search/{inputs.pth}",
    query: { q: "$.inputs.qery", r: { $tpl: "{inputs.tpl} {{inputs.no}}" } },
    body: { $literal: "$.inputs.no" },
  };
  const meters = [{ meter: "requests", reserve: { $default: ["$.inputs.num", 1] } }];
  const odd = { ...offer, request, meters };
  const none = "there is no such input";
  assert.deepEqual(faultsIn({ ...model, offers: [odd] }), [
    `offers[0].request.path: inputs.pth: ${none}`,
    `offers[0].request.query.q: inputs.qery: ${none}; did you mean query?`,
    `offers[0].request.query.r.$tpl: inputs.tpl: ${none}`,
    `offers[0].meters[0].reserve.$default[0]: inputs.num: ${none}`,
  ]);
  const open = { ...model, inputs: { ...model.inputs, additionalProperties: true } };
  assert.deepEqual(faultsIn({ ...open, offers: [odd] }), []);
});

test("an example that breaks its own inputs is a fault that says how", () => {
  assert.deepEqual(faultsIn({ ...model, example: { query: "x" } }), [
    "example.query: want a text of at least 2 characters",
  ]);
  assert.deepEqual(faultsIn({ ...model, example: {} }), ["example.query: is required"]);
  assert.match(
    faultsIn({ ...model, example: { query: "tea", qery: 1 } }).join(),
    /^example\.qery: there is no such/,
  );
});

test("what is missing in an offer is named, and not that the whole is invalid", () => {
  const polling = { poll: { path: "/jobs/{submit.id}" }, done: ["done"] };
  assert.deepEqual(faultsIn({ ...model, offers: [{ ...offer, polling }] }), [
    "offers[0].polling.status: is missing",
  ]);
  const faults = faultsIn({ ...model, offers: [{ ...offer, request: undefined, requst: offer.request }] });
  assert.match(faults.join("\n"), /^offers\[0\]\.request: .*\noffers\[0\]: .*requst/);
});

test("a name that is taken is the fault of the operator's file, whichever name comes first", () => {
  for (const id of ["a/first", "zz/last"]) {
    const aliases = [{ id: "flux-1.1-pro", kind: "same" }];
    assert.match(
      faultsIn({ ...model, id, aliases }).join(),
      /^aliases\[0\]\.id: the name flux-1\.1-pro is taken in /,
    );
  }
  assert.match(faultsIn({ ...model, id: "flux-1.1-pro" }).join(), /^id: the name flux-1\.1-pro is taken in /);
});

/** `file: fault` of each, the file as it lies in the folder. */
function straysIn(files: Readonly<Record<string, unknown>>): readonly string[] {
  const folder = folderOf(files);
  return checkCatalog(folder).faults.map(({ file, fault }) => `${relative(folder, file)}: ${fault}`);
}

const unread = "is not read here: want it below providers/, models/ or families/";
const noCatalog = ": nothing of a catalog is in it: want providers/, models/ or families/";

test("a file of facts in a folder that is not read is a fault, with the folder that was meant", () => {
  assert.deepEqual(straysIn({ "model/x.json": model }), [
    noCatalog,
    `model/x.json: ${unread}; did you mean models/?`,
  ]);
  const beside = { "models/own.json": model, "x.json": model, "Providers/deep/y.json": {} };
  assert.deepEqual(straysIn(beside), [
    `Providers/deep/y.json: ${unread}; did you mean providers/?`,
    `x.json: ${unread}`,
  ]);
});

test("a folder that is no catalog is a fault; an empty one, a README and what editors keep there are none", () => {
  assert.deepEqual(straysIn({ "src/main.ts": "" }), [noCatalog]);
  assert.deepEqual(straysIn({}), []);
  assert.deepEqual(straysIn({ ".git/x.json": {}, "README.md": "", "models/own.json": model }), []);
});

test("a check tells how many files of the folder were read", () => {
  const files = { "models/own.json": model, "models/deep/more.json": { ...model, id: "own/more" } };
  assert.equal(checkCatalog(folderOf(files)).files, 2);
  assert.equal(checkCatalog(folderOf({ ...files, "model/x.json": {} })).files, 2);
  assert.equal(checkCatalog(folderOf({})).files, 0);
  assert.ok(checkCatalog(undefined).files > 100);
});
