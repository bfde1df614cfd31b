import { inspect } from "node:util";
import { pino } from "pino";
import type { DestinationStream } from "pino";
import type { Log, LogFields } from "./core/log.ts";
import { Problem } from "./core/problems.ts";

/** JSON lines; on stderr, because stdout belongs to what the program has to say to people. */
export function standardLog(
  level: string,
  destination: DestinationStream = pino.destination({ fd: 2, sync: false }),
): Log {
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      errorKey: "cause",
      redact: ["authorization", "*.authorization"],
    },
    destination,
  );
  const line =
    (write: (fields: LogFields, message: string) => void) => (fields: LogFields, message: string) =>
      write(readable(fields), message);
  return {
    debug: line((fields, message) => logger.debug(fields, message)),
    info: line((fields, message) => logger.info(fields, message)),
    warn: line((fields, message) => logger.warn(fields, message)),
    error: line((fields, message) => logger.error(fields, message)),
  };
}

const longestCause = 2000;

/** Causes are errors of any kind, or foreign text: one bounded string each. */
function readable(fields: LogFields): LogFields {
  const { cause, ...rest } = fields;
  if (cause === undefined) return fields;
  return { ...rest, cause: textOf(cause).slice(0, longestCause) };
}

function textOf(cause: unknown): string {
  if (typeof cause === "string") return cause;
  if (!(cause instanceof Error)) return inspect(cause);
  // Thrown on purpose, with words that say it all: where from tells nothing more.
  if (cause instanceof Problem) return cause.cause === undefined ? cause.message : textOf(cause.cause);
  const text = cause.stack ?? cause.message;
  // The parser of JSON quotes what it could not read, which may be an answer or a secret.
  return cause instanceof SyntaxError ? text.replace(cause.message, "not JSON") : text;
}
