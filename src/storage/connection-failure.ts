import { DatabaseUnavailable } from "./database.ts";

/** Errors of Node.js that mean the other end could not be reached or went away. */
const systemCodes: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENETDOWN",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ENOENT",
  "EMFILE",
  "ENFILE",
]);

/** 57P01–57P03: the server is shutting down or starting. 08xxx: connection exceptions. 53300: no connection is free. */
const sqlState = /^(?:57P0[1-5]|08[0-9A-Z]{3}|53300)$/;

/** The driver gives these no code. */
const driverMessage =
  /^(?:Connection terminated|timeout expired|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|Client was closed|Cannot use a pool after calling end|The server does not support SSL|There was an error establishing an SSL)/;

/** True when the database could not be reached or went away; false for every error the server answered a statement with. */
export function isConnectionFailure(error: unknown): boolean {
  if (error instanceof DatabaseUnavailable) return true;
  if (!(error instanceof Error)) return false;
  if (error instanceof AggregateError && error.errors.some(isConnectionFailure)) return true;
  const code = "code" in error ? error.code : undefined;
  if (typeof code === "string" && (systemCodes.has(code) || sqlState.test(code))) return true;
  return code === undefined && driverMessage.test(error.message);
}

/** The error to throw for a failed statement: `DatabaseUnavailable` for connection failures, else the driver's own. */
export function statementError(error: unknown): unknown {
  if (error instanceof DatabaseUnavailable || !isConnectionFailure(error)) return error;
  return new DatabaseUnavailable(error);
}

/**
 * True when the connection is of no more use, though it stands: what it leads to only reads (25006). Behind an address that
 * moved in a failover a standby would be asked to write for ever, because a connection in use never becomes idle.
 */
export function endsConnection(error: unknown): boolean {
  if (isConnectionFailure(error)) return true;
  return error instanceof Error && "code" in error && error.code === "25006";
}
