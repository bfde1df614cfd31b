import { accessSync, constants, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/** Why the server cannot start, in a sentence that names the variable to change. The system's error is its cause. */
export class StartFault extends Error {
  constructor(message: string, cause: unknown) {
    super(message, { cause });
    this.name = "StartFault";
  }
}

/** Makes the data directory and what is missing above it, and makes sure that files can be made in it. */
export function makeDataDirectory(path: string): void {
  try {
    makeFolder(path);
    accessSync(path, constants.W_OK | constants.X_OK);
  } catch (error) {
    const why = directoryReasons[codeOf(error)] ?? `the system says ${codeOf(error)}`;
    const wish = "Set SKILLBOSS_DATA_DIR to a directory that this user may write to.";
    throw new StartFault(`The data directory ${path} cannot be used: ${why}. ${wish}`, error);
  }
}

/** One by one: Node's own way of making several goes round for ever where the system lets nobody make any (/proc). */
function makeFolder(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory() === true) return;
  if (found !== undefined) throw Object.assign(new Error("not a directory"), { code: "ENOTDIR" });
  if (dirname(path) !== path) makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process that starts at the same time made it.
    if (codeOf(error) !== "EEXIST") throw error;
  }
}

const directoryReasons: Readonly<Record<string, string>> = {
  EACCES: "this user may not write there",
  EPERM: "this user may not write there",
  ENOTDIR: "a file is in the way",
  EROFS: "its disk is read-only",
  ENOSPC: "its disk is full",
  ENOENT: "no directory can be made there",
  ENAMETOOLONG: "its name is too long",
};

type Place = { readonly host: string; readonly port: number };

/** Why nobody can listen at the place that HOST and PORT name. */
export function listenFault(error: unknown, { host, port }: Place): Error {
  switch (codeOf(error)) {
    case "EADDRINUSE":
      return new StartFault(`Port ${port} on ${host} is taken. Set PORT to another one.`, error);
    case "EACCES":
      return new StartFault(
        `This user may not listen on port ${port}. Set PORT to one above 1023, such as 8787.`,
        error,
      );
    case "EADDRNOTAVAIL":
      return new StartFault(`${host} is no address of this machine. ${hostWish}`, error);
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new StartFault(`The name ${host} leads to no address. ${hostWish}`, error);
    default:
      return new StartFault(
        `Nobody can listen on ${host}, port ${port} (${codeOf(error)}). ${hostWish}`,
        error,
      );
  }
}

const hostWish = "Set HOST to 127.0.0.1 for this machine alone, or to 0.0.0.0 for all its networks.";

/** Why PostgreSQL cannot be used. Of `DATABASE_URL` only host and port are shown. */
export function databaseFault(error: unknown, databaseUrl: string): unknown {
  const code = databaseCode(error);
  const why = databaseReasons[code];
  if (why === undefined && !(error instanceof Error && error.name === "DatabaseUnavailable")) return error;
  const place = URL.canParse(databaseUrl) ? new URL(databaseUrl).host : "";
  const server = `The PostgreSQL server${place === "" ? "" : ` at ${place}`}`;
  const wish = "Start it or correct DATABASE_URL; without this variable the embedded database is used.";
  return new StartFault(`${server} cannot be used: ${why ?? `it does not answer (${code})`}. ${wish}`, error);
}

const databaseReasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ECONNRESET: "it breaks the connection",
  ENOTFOUND: "its host name leads to no address",
  EAI_AGAIN: "its host name cannot be looked up",
  ETIMEDOUT: "it does not answer in time",
  EHOSTUNREACH: "there is no way to it",
  ENETUNREACH: "there is no way to it",
  "28P01": "it refuses the user or the password",
  "28000": "it refuses the user",
  "3D000": "it has no such database",
  "42501": "the user may not make tables in this database",
  "53300": "it has no connection free",
  "57P03": "it is starting or stopping",
};

/** Of the error, or of what is behind it: the system's, or PostgreSQL's. */
function databaseCode(error: unknown): string {
  if (error instanceof AggregateError) return databaseCode(error.errors[0]);
  const own = codeOf(error);
  if (own !== "unknown" || !(error instanceof Error)) return own;
  if (/timeout/i.test(error.message)) return "ETIMEDOUT";
  return error.cause === undefined ? own : databaseCode(error.cause);
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "unknown";
}
