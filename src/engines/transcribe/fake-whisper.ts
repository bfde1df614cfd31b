/** Whispers for tests: a server and a program that say what a test wants and keep what they were asked. */
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

export type AskedServer = {
  readonly path: string;
  readonly authorization: string | undefined;
  /** By their names; the file as its bytes in latin1. */
  readonly fields: ReadonlyMap<string, string>;
  readonly fileName: string | undefined;
};

export type FakeServer = {
  readonly origin: string;
  readonly asked: readonly AskedServer[];
  readonly stop: () => Promise<void>;
};

export async function startFakeServer(answer: (response: ServerResponse) => void): Promise<FakeServer> {
  const asked: AskedServer[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      const form = Buffer.concat(pieces).toString("latin1");
      const boundary = /boundary=(.+)$/.exec(request.headers["content-type"] ?? "")?.[1] ?? "";
      asked.push({
        path: request.url ?? "",
        authorization: request.headers.authorization,
        ...readForm(form, boundary),
      });
      answer(response);
    });
    request.on("error", () => undefined);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // A server that listens on a port has an address of this form.
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    asked,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function readForm(form: string, boundary: string): Pick<AskedServer, "fields" | "fileName"> {
  const fields = new Map<string, string>();
  let fileName: string | undefined;
  for (const part of `\r\n${form}`.split(`\r\n--${boundary}`).slice(1, -1)) {
    const end = part.indexOf("\r\n\r\n");
    const head = part.slice(0, end);
    fields.set(/ name="([^"]*)"/.exec(head)?.[1] ?? "", part.slice(end + 4));
    fileName ??= /filename="([^"]*)"/.exec(head)?.[1];
  }
  return { fields, fileName };
}

export type FakeProgram = {
  readonly program: string;
  readonly model: string;
  /** The arguments of the last run, and the file that it was to listen to. */
  heard(): Promise<{ readonly args: readonly string[]; readonly file: Buffer; readonly folder: string }>;
  /** As if it had never run. */
  forget(): Promise<void>;
  /** Resolves when it runs. */
  begun(): Promise<void>;
};

/** `script` sees `args`, and `output`: the path that the transcript belongs to. */
export async function makeFakeProgram(folder: string, script: string): Promise<FakeProgram> {
  const program = join(folder, "whisper-cli");
  const model = join(folder, "ggml-base.bin");
  const [said, file] = [join(folder, "said.json"), join(folder, "heard.bin")];
  await writeFile(model, "no real model");
  await writeFile(
    program,
    `#!${process.execPath}
    const fs = require("fs");
    const args = process.argv.slice(2);
    const after = (name) => args[args.indexOf(name) + 1];
    const output = after("--output-file") + ".json";
    fs.copyFileSync(after("--file"), ${JSON.stringify(file)});
    fs.writeFileSync(${JSON.stringify(`${said}.new`)}, JSON.stringify(args));
    fs.renameSync(${JSON.stringify(`${said}.new`)}, ${JSON.stringify(said)});
    ${script}\n`,
  );
  await chmod(program, 0o755);
  return {
    program,
    model,
    async heard() {
      const args = JSON.parse(await readFile(said, "utf8")) as string[];
      const path = args[args.indexOf("--file") + 1] ?? "";
      return { args, file: await readFile(file), folder: join(path, "..") };
    },
    forget: () => rm(said, { force: true }),
    async begun() {
      for (let tries = 0; tries < 2000 && !existsSync(said); tries++) await wait(10);
    },
  };
}
