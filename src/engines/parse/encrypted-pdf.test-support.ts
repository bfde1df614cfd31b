/** A PDF that opens with a password: the standard handler of PDF 1.4, revision 2 with 40 bits (7.6.3 of the standard). */
import { createHash } from "node:crypto";

const filling = Buffer.from("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a", "hex");
const permissions = -4;
const fileId = Buffer.from("00112233445566778899aabbccddeeff", "hex");

export function encryptedPdf(password: string, words: string): Buffer {
  const user = Buffer.concat([Buffer.from(password, "latin1"), filling]).subarray(0, 32);
  const owner = rc4(md5(user).subarray(0, 5), user);
  const allowed = Buffer.alloc(4);
  allowed.writeInt32LE(permissions);
  const key = md5(user, owner, allowed, fileId).subarray(0, 5);
  const drawn = Buffer.from(`BT /F 12 Tf 50 700 Td (${words}) Tj ET`, "latin1");
  const contents = rc4(md5(key, Buffer.of(4, 0, 0, 0, 0)).subarray(0, 10), drawn);
  const font = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>";
  const parts = [
    "%PDF-1.4\n1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj\n",
    "2 0 obj << /Type /Pages /Kids [3 0 R] /Count 1 >> endobj\n3 0 obj << /Type /Page /Parent 2 0 R /Contents 4 0 R ",
    `/MediaBox [0 0 600 800] /Resources << /Font << /F ${font} >> >> >> endobj\n`,
    `4 0 obj << /Length ${contents.length} >> stream\n`,
    contents,
    "\nendstream endobj\n5 0 obj << /Filter /Standard /V 1 /R 2 /Length 40 ",
    `/P ${permissions} /O <${owner.toString("hex")}> /U <${rc4(key, filling).toString("hex")}> >> endobj\n`,
    `trailer << /Root 1 0 R /Encrypt 5 0 R /ID [<${fileId.toString("hex")}> <${fileId.toString("hex")}>] >>\n%%EOF`,
  ];
  return Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : part)));
}

function md5(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash("md5");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function rc4(key: Uint8Array, bytes: Uint8Array): Buffer {
  const state = Uint8Array.from({ length: 256 }, (_, at) => at);
  const swap = (one: number, other: number): void => {
    [state[one], state[other]] = [state[other] ?? 0, state[one] ?? 0];
  };
  for (let at = 0, to = 0; at < 256; at += 1) {
    to = (to + (state[at] ?? 0) + (key[at % key.length] ?? 0)) % 256;
    swap(at, to);
  }
  let [at, to] = [0, 0];
  return Buffer.from(
    bytes.map((byte) => {
      at = (at + 1) % 256;
      to = (to + (state[at] ?? 0)) % 256;
      swap(at, to);
      return byte ^ (state[((state[at] ?? 0) + (state[to] ?? 0)) % 256] ?? 0);
    }),
  );
}
