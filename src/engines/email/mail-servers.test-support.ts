/** Mail servers for tests: a whole one that others wrote, and one that says exactly what a test wants. */
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { SMTPServer } from "smtp-server";
import type { SMTPServerOptions } from "smtp-server";

export type ReceivedLetter = {
  readonly from: string;
  readonly recipients: readonly string[];
  readonly isSecure: boolean;
  readonly user: unknown;
  readonly bytes: Buffer;
};

export type MailServer = {
  readonly port: number;
  readonly received: readonly ReceivedLetter[];
  readonly connections: () => number;
  readonly stop: () => Promise<void>;
};

/** Takes everything and keeps it; without STARTTLS and logins unless the options say otherwise. */
export async function startMailServer(options: SMTPServerOptions = {}): Promise<MailServer> {
  const received: ReceivedLetter[] = [];
  let connections = 0;
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    closeTimeout: 100,
    onConnect(_, done) {
      connections += 1;
      done();
    },
    onData(stream, session, done) {
      const pieces: Buffer[] = [];
      stream.on("data", (piece: Buffer) => pieces.push(piece));
      stream.on("end", () => {
        const { mailFrom, rcptTo } = session.envelope;
        received.push({
          from: mailFrom === false ? "" : mailFrom.address,
          recipients: rcptTo.map(({ address }) => address),
          isSecure: session.secure,
          user: session.user,
          bytes: Buffer.concat(pieces),
        });
        done();
      });
    },
    ...options,
  });
  // A client that leaves in the middle is what some tests are about.
  server.on("error", () => undefined);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: portOf(server.server),
    received,
    connections: () => connections,
    stop: () => new Promise((resolve) => server.close(resolve)),
  };
}

export type Script = {
  /** What is answered to a command by its first word; `undefined` is the usual answer, a function does what it likes. */
  readonly answers?: Readonly<Record<string, string | ((socket: Socket) => void)>>;
  /** Answers to EHLO besides the name. */
  readonly extensions?: readonly string[];
  readonly greeting?: string | ((socket: Socket) => void);
};

export type ScriptedServer = {
  readonly port: number;
  /** Commands in their order over all connections, `.` for each whole message, `empty message` for one without a byte. */
  readonly heard: readonly string[];
  readonly stop: () => Promise<void>;
};

const usual: Readonly<Record<string, string>> = {
  STARTTLS: "502 not here",
  DATA: "354 go on",
  ".": "250 taken",
  QUIT: "221 bye",
};

export async function startScriptedServer(script: Script): Promise<ScriptedServer> {
  const heard: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
    converse(socket, script, heard);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: portOf(server),
    heard,
    stop: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function converse(
  socket: Socket,
  { answers = {}, extensions = [], greeting }: Script,
  heard: string[],
): void {
  const say = (answer: string | ((socket: Socket) => void)) => {
    if (typeof answer === "string") socket.write(`${answer}\r\n`);
    else answer(socket);
  };
  const hear = (line: string, isMessage: boolean) => {
    const word = isMessage ? line : (line.split(/[ :]/, 1)[0]?.toUpperCase() ?? "");
    heard.push(line);
    const ehlo = ["scripted.example", ...extensions].map(
      (one, index) => `250${index === extensions.length ? " " : "-"}${one}`,
    );
    say(answers[word] ?? (word === "EHLO" ? ehlo.join("\r\n") : (usual[word] ?? "250 fine")));
    return word === "DATA" && typeof answers["DATA"] !== "string";
  };
  say(greeting ?? "220 scripted.example");
  let text = "";
  let isMessage = false;
  socket.on("data", (piece) => {
    text += piece.toString("latin1");
    for (;;) {
      const isEmpty = isMessage && text.startsWith(".\r\n");
      const end = isMessage && !isEmpty ? text.indexOf("\r\n.\r\n") : text.indexOf("\r\n");
      if (end === -1) return;
      const line = isMessage ? "." : text.slice(0, end);
      text = text.slice(end + (isMessage && !isEmpty ? 5 : 2));
      isMessage = isEmpty ? hear("empty message", true) : hear(line, isMessage);
    }
  });
}

function portOf(server: Server): number {
  // A server that listens on a port has an address of this form.
  return (server.address() as AddressInfo).port;
}
