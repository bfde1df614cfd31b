import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { sendJson } from "./render.ts";

let text = "";
const server = createServer((_request, response) => {
  sendJson(response, { status: 200, requestId: "req_1", headers: { "x-more": "1" } }, text);
});
let url = "";

before(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  url = typeof address === "object" && address !== null ? `http://127.0.0.1:${address.port}/` : "";
});
after(() => server.close());

test("a text arrives as its UTF-8 bytes, whatever its letters and its length", async () => {
  const letters = fc.constantFrom("a", "\u007f", "\u0080", "é", "ÿ", "Ā", "€", "𐍈", "\ud800");
  const texts = fc.oneof(fc.string(), fc.string({ unit: letters, maxLength: 40 }));
  const lengths = fc.constantFrom(0, 1, 16 * 1024 - 40, 16 * 1024, 70_000);
  await fc.assert(
    fc.asyncProperty(texts, lengths, async (end, filled) => {
      // Put together of parts, as answers are.
      text = `${"x".repeat(filled)}${end}`;
      const response = await fetch(url);
      const received = Buffer.from(await response.arrayBuffer());
      assert.ok(received.equals(Buffer.from(text, "utf8")));
      assert.equal(response.headers.get("content-length"), String(received.length));
      assert.equal(response.headers.get("x-more"), "1");
    }),
    { numRuns: 300 },
  );
});
