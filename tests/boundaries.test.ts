import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, normalize } from "node:path";
import { test } from "node:test";

/** The house as a whole: who may import whom, and what may be named where. */

const root = join(import.meta.dirname, "..");

/** Room → the other rooms whose files it may import. What is not in the table may import nothing of ours. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  core: [],
  sandbox: [],
  catalog: ["core"],
  limits: ["core"],
  routing: ["core"],
  providers: ["core"],
  egress: ["core"],
  engines: ["core", "egress"],
  files: ["core", "storage"],
  storage: ["core"],
  identity: ["core", "storage"],
  ledger: ["core", "storage"],
  calls: [
    ...["core", "catalog", "egress", "engines", "files"],
    ...["ledger", "limits", "providers", "routing", "storage"],
  ],
  http: ["core", "calls", "catalog", "files", "identity", "ledger"],
  client: ["core"],
  cli: ["core", "client"],
  mcp: ["core", "client"],
};

/** Package → the rooms that know it. Those that are not named here are open to all rooms but core and sandbox. */
const packageRooms: Readonly<Record<string, readonly string[]>> = {
  "@aws-sdk/client-s3": ["files"],
  "@mozilla/readability": ["engines"],
  "@electric-sql/pglite": ["storage"],
  commander: ["cli"],
  "gpt-tokenizer": ["calls", "sandbox"],
  ioredis: ["limits"],
  kysely: ["storage", "identity", "ledger", "calls", "files"],
  linkedom: ["engines"],
  nodemailer: ["engines"],
  pg: ["storage"],
  pino: ["top"],
  sharp: ["engines"],
  undici: ["providers", "egress"],
};

type Source = {
  /** From the root, such as `src/core/ids.ts`. */
  readonly path: string;
  /** The folder under src; `top` for the files that put the house together. */
  readonly room: string;
  /** Without comments. */
  readonly code: string;
  readonly imports: readonly string[];
};

function filesUnder(folder: string): readonly string[] {
  const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
}

function readSource(path: string): Source {
  const code = withoutComments(readFileSync(join(root, path), "utf8"));
  const [, room = ""] = path.split("/");
  const forms = /(?:(?<!\.)\bfrom|\bimport)\s*\(?\s*"([^"]+)"|new URL\(\s*"(\.[^"]+\.ts)"/g;
  const imports = [...code.matchAll(forms)].map((match) => match[1] ?? match[2] ?? "");
  return { path, room: room.endsWith(".ts") ? "top" : room, code, imports };
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[^]*?\*\//g, "").replaceAll(/(^|\s)\/\/.*$/gm, "$1");
}

const sources = filesUnder("src")
  .filter((path) => path.endsWith(".ts"))
  .map(readSource);

/** What runs at a customer's: all that `main.ts` reaches. The rest are tests and their samples. */
const product = reachableFrom("src/main.ts");

function reachableFrom(start: string): readonly Source[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const found = new Map<string, Source>();
  const open = [start];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const source = byPath.get(path);
    if (source === undefined || found.has(path)) continue;
    found.set(path, source);
    open.push(...source.imports.filter(isOurs).map((to) => normalize(join(dirname(source.path), to))));
  }
  return [...found.values()];
}

function isOurs(specifier: string): boolean {
  return specifier.startsWith(".");
}

/** `src/core/ids.ts` → `core`, `tests/support/x.ts` → `tests`, `package.json` → `package.json`. */
function roomOf(path: string): string {
  const [first = "", second = ""] = path.split("/");
  if (first !== "src") return first;
  return second.endsWith(".ts") ? "top" : second;
}

test("a room imports only the rooms that the design gives it", () => {
  let seen = 0;
  const faults: string[] = [];
  for (const { path, room, imports } of sources) {
    const isTest = path.endsWith(".test.ts") || !product.some((source) => source.path === path);
    for (const specifier of imports.filter(isOurs)) {
      seen += 1;
      const target = normalize(join(dirname(path), specifier));
      const to = roomOf(target);
      assert.ok(existsSync(join(root, target)), `${path} imports ${specifier}, which is not there`);
      const isAllowed = to === room || room === "top" || (mayImport[room] ?? []).includes(to);
      if (!isAllowed && !(isTest && to === "tests")) faults.push(`${path} → ${target}`);
    }
  }
  assert.deepEqual(faults, []);
  assert.ok(seen > 100, `only ${seen} imports were seen`);
});

test("every room is in the table", () => {
  const rooms = new Set(sources.map((source) => source.room));
  rooms.delete("top");
  assert.deepEqual(
    [...rooms].filter((room) => mayImport[room] === undefined),
    [],
  );
});

test("a package is known only to the rooms that are built on it, and core knows none", () => {
  let seen = 0;
  const faults: string[] = [];
  for (const { path, room, imports } of product) {
    for (const specifier of imports.filter((one) => !isOurs(one) && !one.startsWith("node:"))) {
      seen += 1;
      const name = specifier
        .split("/")
        .slice(0, specifier.startsWith("@") ? 2 : 1)
        .join("/");
      const rooms = packageRooms[name];
      const isFree = rooms === undefined && room !== "core" && room !== "sandbox";
      if (!isFree && rooms?.includes(room) !== true) faults.push(`${path} → ${specifier}`);
    }
  }
  assert.deepEqual(faults, []);
  assert.ok(seen > 10, `only ${seen} imports of packages were seen`);
});

/** What may be written only in some places of the product. */
const places: readonly {
  readonly sentence: string;
  readonly form: RegExp;
  readonly isHome: (path: string) => boolean;
}[] = [
  {
    sentence: "fetch is called in client only",
    form: /(?<![\w.#"'`-])fetch\s*\(/,
    isHome: (path) => path.startsWith("src/client/"),
  },
  {
    sentence: "the environment is read in config and main only",
    form: /\bprocess\.env\b|\benv\b[^;]*from "node:process"/,
    isHome: (path) => path === "src/config.ts" || path === "src/main.ts",
  },
  {
    sentence: "the time is taken from the clock only",
    form: /\bDate\.now\b|\bnew Date\(\)/,
    isHome: (path) => path === "src/core/clock.ts",
  },
  {
    sentence: "nothing is exported as default",
    form: /\bexport default\b/,
    isHome: () => false,
  },
];

for (const { sentence, form, isHome } of places) {
  test(sentence, () => {
    const faults = product.filter(({ path, code }) => form.test(code) && !isHome(path));
    assert.deepEqual(
      faults.map((source) => source.path),
      [],
    );
  });
}

test("what is looked for can be found: each form occurs at its home", () => {
  for (const { sentence, form, isHome } of places) {
    const homes = product.filter(({ path }) => isHome(path));
    assert.ok(homes.length === 0 || homes.some(({ code }) => form.test(code)), sentence);
  }
});

/** Where a provider may be called by its name: the registry of wires, the wires' own folders, and the emulators. */
function isProviderHome(path: string): boolean {
  return (
    path === "src/providers/registry.ts" ||
    path.startsWith("src/sandbox/") ||
    /^src\/providers\/[^/]+\/[^/]+\.ts$/.test(path)
  );
}

/**
 * Providers are data: their ids, in lower case as in the data, are no part of the code. Names of wires such as
 * `openai-chat` are another thing, and help texts write vendors in their own spelling.
 */
test("a provider's name is written only where its wire or its emulator lives", () => {
  const ids = filesUnder("catalog/providers")
    .map((path) => basename(path, ".json"))
    // This server itself is no vendor.
    .filter((id) => id !== "local");
  assert.ok(ids.length >= 5 && ids.includes("openai"), ids.join());
  const name = new RegExp(`(?<![\\w-])(?:${ids.join("|")})(?![\\w-])`);
  const faults = product.filter(({ path, code }) => {
    // The way to a wire's folder is no mention of its vendor.
    const said = code.replaceAll(/\bfrom "[^"]+"/g, "");
    return name.test(said) && !isProviderHome(path);
  });
  assert.deepEqual(
    faults.map((source) => source.path),
    [],
  );
});

test("no file or folder has a name that says nothing", () => {
  const empty = /^(?:utils?|helpers?|common|misc|types?|shared|lib|index)(?:\.\w+)*$/i;
  const paths = ["src", "tests", "bench", "bin"].flatMap(filesUnder);
  assert.ok(paths.length > 200, `only ${paths.length} files were seen`);
  assert.deepEqual(
    paths.filter((path) => path.split("/").some((part) => empty.test(part))),
    [],
  );
});

test("the product is what main.ts reaches, and that is most of the code", () => {
  assert.ok(product.length > 100, `only ${product.length} files`);
  const reached = new Set(product.map((source) => source.room));
  for (const room of [
    "core",
    "storage",
    "catalog",
    "identity",
    "ledger",
    "limits",
    "providers",
    "calls",
    "http",
  ])
    assert.ok(reached.has(room), `${room} is not reached`);
});

test("what only tests use says so in its name", () => {
  const form = /(?:\.test|-battery(?:-\w+)?|-under-test|\.test-\w+)\.ts$|\/fake-[^/]+\.ts$/;
  const reached = new Set(product.map(({ path }) => path));
  const others = sources.map(({ path }) => path).filter((path) => !reached.has(path));
  assert.ok(others.length > 100, `only ${others.length} files`);
  assert.deepEqual(
    others.filter((path) => !form.test(path)),
    [],
  );
  assert.deepEqual(
    [...reached].filter((path) => form.test(path)),
    [],
  );
});
