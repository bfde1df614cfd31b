import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { Problem } from "../core/problems.ts";
import { membersOf, readForm } from "./form-body.ts";
import type { FormBody } from "./form-body.ts";

const maxBytes = 20_000;
let server: Server;
let url: string;
let read: FormBody | Problem | undefined;

before(async () => {
  server = createServer((request, response) => {
    readForm(request, response, { maxBytes, stalledClientMs: 5_000 })
      .then(
        (form) => (read = form),
        (error: unknown) => {
          assert.ok(error instanceof Problem);
          read = error;
        },
      )
      .finally(() => response.end("ok", () => request.socket.destroy()));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => server.close());

/** A refused body may be cut off while it is on its way: what counts is what was read. */
async function posted(body: FormData | ReadableStream, type?: string): Promise<FormBody | Problem> {
  read = undefined;
  const headers = type === undefined ? {} : { "content-type": type };
  await fetch(url, { method: "POST", body, headers, duplex: "half" } as RequestInit).catch(() => undefined);
  const found: FormBody | Problem | undefined = read;
  assert.ok(found !== undefined);
  return found;
}

function formOf(read: FormBody | Problem): FormBody {
  assert.ok(!(read instanceof Problem), read instanceof Problem ? read.message : "");
  return read;
}

test("texts and files are read by their names, with and without brackets, files by their bytes", async () => {
  const form = new FormData();
  form.append("prompt", "Grüße 👋\r\n--");
  form.append("image[]", new File(["\u0089PNG"], "a.png", { type: "image/jpeg" }));
  form.append("image[]", new File([new Uint8Array([0xff, 0xd8, 0xff, 0xe0])], "b.png"));
  form.append("times[]", "word");
  form.append("times[]", "segment");
  const body = formOf(await posted(form));
  assert.deepEqual(membersOf(body, ["times"]), { prompt: "Grüße 👋\r\n--", times: ["word", "segment"] });
  const images = body.files.get("image") ?? [];
  assert.deepEqual(
    images.map(({ name, contentType }) => [name, contentType]),
    [
      ["a.png", "text/plain"],
      ["b.png", "image/jpeg"],
    ],
  );
  assert.throws(() => membersOf(body, []), { param: "times" });
});

test("a body over the limit is refused, announced or not", async () => {
  const large = new FormData();
  large.append("file", new File([new Uint8Array(maxBytes)], "a.bin"));
  const announced = await posted(large);
  assert.ok(announced instanceof Problem && announced.code === "request_too_large");
  const pieces = [
    '--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n',
    ...Array.from({ length: 30 }, () => "x".repeat(1_000)),
    "\r\n--b--\r\n",
  ];
  const chunked = ReadableStream.from(pieces.map((piece) => Buffer.from(piece)));
  const unannounced = await posted(chunked, "multipart/form-data; boundary=b");
  assert.ok(unannounced instanceof Problem && unannounced.code === "request_too_large");
});

test("what is no form, or breaks off, is refused", async () => {
  const code = async (text: string, type: string) => {
    const found = await posted(ReadableStream.from([Buffer.from(text)]), type);
    return found instanceof Problem ? found.code : "read";
  };
  const form = "multipart/form-data; boundary=b";
  assert.equal(await code("{}", "application/json"), "unsupported_media_type");
  assert.equal(await code("--x\r\n", form), "invalid_request");
  assert.equal(
    await code('--b\r\ncontent-disposition: form-data; name="a"\r\n\r\nx', form),
    "invalid_request",
  );
  const text = '--b\r\ncontent-disposition: form-data; name="a"\r\n\r\nx\r\n';
  assert.equal(await code(`${text.repeat(101)}--b--\r\n`, form), "invalid_request", "too many parts");
  assert.equal(await code(`${text}--b--\r\n`, form), "read");
});
