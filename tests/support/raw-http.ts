import net from "node:net";

export type RawAnswer = {
  /** All that came back, each byte one character. */
  readonly text: string;
  /** The status of each answer, in order. */
  readonly statuses: readonly number[];
  /** The first answer's body. */
  readonly body: string;
  /** The gateway ended the connection. */
  readonly isClosed: boolean;
};

/**
 * Sends exactly these bytes on a connection of its own and collects what comes back until the gateway ends it or
 * nothing more came for `quietMs`.
 */
export function sendRaw(port: number, bytes: string | Buffer, quietMs = 400): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: "127.0.0.1" });
    const parts: Buffer[] = [];
    let isClosed = false;
    const finish = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(rawAnswer(Buffer.concat(parts).toString("latin1"), isClosed));
    };
    // The first answer may take longer than the silence after it.
    let timer = setTimeout(finish, 5_000);
    socket.on("data", (part) => {
      parts.push(part);
      clearTimeout(timer);
      timer = setTimeout(finish, quietMs);
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      isClosed = true;
      finish();
    });
    socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  });
}

/** A whole request in HTTP/1.1 with a fitting Content-Length, unless the headers frame the body themselves. */
export function rawRequest(line: string, headers: readonly string[], body: string | Buffer = ""): Buffer {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  const isFramed = headers.some((header) => /^(content-length|transfer-encoding)\b/i.test(header));
  const all = isFramed || bytes.length === 0 ? headers : [...headers, `Content-Length: ${bytes.length}`];
  const head = [`${line} HTTP/1.1`, "Host: gateway", ...all, "", ""].join("\r\n");
  return Buffer.concat([Buffer.from(head, "latin1"), bytes]);
}

function rawAnswer(text: string, isClosed: boolean): RawAnswer {
  const statuses = [...text.matchAll(/(?:^|[^\w/])HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));
  const end = text.indexOf("\r\n\r\n");
  return { text, statuses, body: end === -1 ? "" : text.slice(end + 4), isClosed };
}
