export type LogFields = Readonly<Record<string, unknown>>;

/** One line per event. Never hand in a secret, a prompt or a completion. */
export type Log = {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
};

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
