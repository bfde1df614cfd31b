import { createSocket } from "node:dgram";
import { once } from "node:events";
import net from "node:net";

export type NameServer = {
  /** As `dns.setServers` takes it. */
  readonly address: string;
  /** What was asked, such as `A example.com`, in order. */
  readonly asked: readonly string[];
  stop(): Promise<void>;
};

/** Addresses, in which those of the other family are left out; or a failure; or no answer at all. */
export type NameAnswer = readonly string[] | "no such name" | "failure" | "silence";

const codes = { "no such name": 3, failure: 2 } as const;

/** A name server on loopback whose answers live for 0 seconds. */
export async function startNameServer(
  answer: (name: string, kind: "A" | "AAAA") => NameAnswer,
): Promise<NameServer> {
  const asked: string[] = [];
  const socket = createSocket("udp4");
  socket.on("message", (query, from) => {
    const { name, kind, end } = readQuestion(query);
    asked.push(`${kind} ${name}`);
    const told = answer(name, kind);
    if (told === "silence") return;
    socket.send(replyTo(query.subarray(0, end), kind, told), from.port, from.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    address: `127.0.0.1:${socket.address().port}`,
    asked,
    stop: async () => {
      const closed = once(socket, "close");
      socket.close();
      await closed;
    },
  };
}

/** The first question, and where it ends; names in questions are not compressed. */
function readQuestion(query: Buffer): {
  readonly name: string;
  readonly kind: "A" | "AAAA";
  readonly end: number;
} {
  const labels: string[] = [];
  let at = 12;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join("."), kind: query.readUInt16BE(at + 1) === 28 ? "AAAA" : "A", end: at + 5 };
}

function replyTo(question: Buffer, kind: "A" | "AAAA", told: Exclude<NameAnswer, "silence">): Buffer {
  const addresses = typeof told === "string" ? [] : told.filter((one) => net.isIPv4(one) === (kind === "A"));
  const head = Buffer.from(question);
  head.writeUInt16BE(0x8180 | (typeof told === "string" ? codes[told] : 0), 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(addresses.length, 6);
  head.writeUInt32BE(0, 8);
  return Buffer.concat([head, ...addresses.map(record)]);
}

/** Its name points to the question's; TTL 0. */
function record(address: string): Buffer {
  const bytes = bytesOf(address);
  const head = Buffer.from("c00c0000000100000000", "hex");
  head.writeUInt16BE(bytes.length === 4 ? 1 : 28, 2);
  return Buffer.concat([head, Buffer.from([0, bytes.length]), bytes]);
}

function bytesOf(address: string): Buffer {
  if (net.isIPv4(address)) return Buffer.from(address.split(".").map(Number));
  const [start = "", end = ""] = address.split("::");
  const [before, behind] = [start, end].map((half) => (half === "" ? [] : half.split(":")));
  const zeros = Array.from({ length: 8 - (before?.length ?? 0) - (behind?.length ?? 0) }, () => "0");
  const groups = [...(before ?? []), ...zeros, ...(behind ?? [])];
  return Buffer.from(groups.map((group) => group.padStart(4, "0")).join(""), "hex");
}
