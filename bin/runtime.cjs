"use strict";
// Makes the checkout runnable on a bare machine. Plain CommonJS for old Node versions: this file must start where the
// rest of the project cannot. Brings a current Node from the npm registry when the machine's is too old, and installs
// the dependencies when they are missing or not those of the lockfile.
const { spawn, spawnSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");

const root = path.resolve(__dirname, "..");
const oldest = [22, 19];
const brought = "24.21.0";

/** Says what is going on, on stderr, so that stdout stays the program's own. */
function say(line) {
  process.stderr.write(`${line}\n`);
}

function giveUp(line) {
  say(line);
  process.exit(1);
}

function isCurrent(version) {
  const [major, minor] = version.split(".").map(Number);
  return major > oldest[0] || (major === oldest[0] && minor >= oldest[1]);
}

/** Path of a Node that can run the project: this one, one brought earlier, or one brought now. */
function currentNode() {
  if (isCurrent(process.versions.node)) return process.execPath;
  const name = `node-${process.platform}-${process.arch}`;
  const binary = path.join(root, ".node", "node_modules", name, "bin", "node");
  if (!runs(binary)) {
    say(
      `Node ${process.versions.node} is too old (needs ${oldest.join(".")}): bringing Node ${brought} into .node/ (190 MB, once) …`,
    );
    const { why } = npm(
      [
        "install",
        "--prefix",
        path.join(root, ".node"),
        "--no-save",
        "--no-package-lock",
        "--ignore-scripts",
        `${name}@${brought}`,
      ],
      process.execPath,
    );
    if (!runs(binary))
      giveUp(
        `Could not bring Node for ${process.platform}-${process.arch}${why ? `: ${why}` : "."} Or install Node ${oldest.join(".")} or newer yourself.`,
      );
  }
  return binary;
}

function runs(binary) {
  return fs.existsSync(binary) && spawnSync(binary, ["--version"]).status === 0;
}

function npm(args, node) {
  const cli = process.env.npm_execpath;
  const [command, before] = cli && cli.endsWith(".js") ? [node, [cli]] : ["npm", []];
  const environment = { ...process.env, PATH: path.dirname(node) + path.delimiter + process.env.PATH };
  const result = spawnSync(command, [...before, ...args, ...npmManners], {
    cwd: root,
    stdio: ["ignore", "ignore", "pipe"],
    encoding: "utf8",
    env: environment,
  });
  if (result.status === 0) return { done: true };
  if (result.error) return { done: false, why: `npm cannot be run (${result.error.code}).` };
  return { done: false, why: whyNpmFailed(result.stderr) };
}

/** It says only what is wrong, and gives up in seconds where there is no network. */
const npmManners = [
  "--loglevel=error",
  "--no-fund",
  "--no-audit",
  "--no-update-notifier",
  "--fetch-retries=2",
  "--fetch-retry-mintimeout=500",
  "--fetch-retry-maxtimeout=2000",
];

const withoutNetwork =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|ERR_SOCKET_TIMEOUT)\b/;

/** One sentence where the network is away; else npm's own last words are shown. */
function whyNpmFailed(errors) {
  const code = withoutNetwork.exec(errors);
  if (code)
    return `the npm registry cannot be reached (${code[1]}). Connect this machine to a network, or name a registry that it reaches with \`npm config set registry\`, and start again.`;
  const lines = errors
    .split("\n")
    .filter((line) => /\S/.test(line) && !/^npm error\s+at |A complete log of this run/.test(line));
  for (const line of lines.slice(0, 4)) say(line);
  return "npm says why above.";
}

/** True when every package of the lockfile (without the development ones unless asked) is there in its version. */
function isInstalled(withDevelopment) {
  try {
    const wanted = JSON.parse(fs.readFileSync(path.join(root, "package-lock.json"), "utf8")).packages;
    const present = JSON.parse(
      fs.readFileSync(path.join(root, "node_modules", ".package-lock.json"), "utf8"),
    ).packages;
    return Object.entries(wanted).every(([name, entry]) => {
      if (name === "" || entry.optional || (entry.dev && !withDevelopment)) return true;
      return present[name] !== undefined && present[name].version === entry.version;
    });
  } catch {
    return false;
  }
}

function install(node, withDevelopment) {
  if (isInstalled(withDevelopment)) return;
  say(`Installing the dependencies${withDevelopment ? " and the development tools" : ""} …`);
  const { done, why } = npm(["ci", "--ignore-scripts", ...(withDevelopment ? [] : ["--omit=dev"])], node);
  if (!done || !isInstalled(withDevelopment))
    giveUp(`The dependencies could not be installed: ${why ?? "npm left some of them out."}`);
}

/** Runs a TypeScript entry of ours with everything in place; this process ends as that one ends. */
function run(entry, args, { withDevelopment = false } = {}) {
  const node = currentNode();
  install(node, withDevelopment);
  process.env.PATH = [path.join(root, "node_modules", ".bin"), path.dirname(node), process.env.PATH].join(
    path.delimiter,
  );
  const file = path.join(root, entry);
  // Compiled code is kept for the next start, and for every process that this one starts.
  process.env.NODE_COMPILE_CACHE ??= path.join(root, ".node", "compile-cache");
  if (node === process.execPath) {
    require("node:module").enableCompileCache();
    process.argv = [node, file, ...args];
    import(require("node:url").pathToFileURL(file).href).catch((error) =>
      giveUp(String(error && error.stack ? error.stack : error)),
    );
    return;
  }
  // The channel lets the child notice when this process is killed, so that killing the launcher kills the server.
  const child = spawn(node, [file, ...args], {
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    env: { ...process.env, SKILLBOSS_LAUNCHED: "1" },
  });
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code === null ? 1 : code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

module.exports = { run };
