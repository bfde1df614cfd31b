import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { readMultipart } from "./multipart.ts";

type Part = {
  readonly name: string;
  readonly fileName?: string | undefined;
  readonly contentType?: string | undefined;
  readonly body: Buffer;
};

/** Cut before each of these positions. */
async function* pieces(bytes: Buffer, cuts: readonly number[]): AsyncGenerator<Buffer, void, undefined> {
  let from = 0;
  for (const to of [...cuts.toSorted((a, b) => a - b), bytes.length]) {
    yield bytes.subarray(from, to);
    from = to;
  }
}

async function partsOf(source: AsyncIterable<Buffer>, boundary: string): Promise<readonly Part[]> {
  const parts: Part[] = [];
  for await (const { body, ...field } of readMultipart(source, boundary)) {
    const read: Buffer[] = [];
    for await (const bytes of body) read.push(bytes);
    parts.push({ ...field, body: Buffer.concat(read) });
  }
  return parts;
}

/** As undici, browsers and curl write it. */
function formOf(boundary: string, parts: readonly Part[], end = "\r\n"): Buffer {
  const written = parts.map(({ name, fileName, contentType, body }) => {
    const file = fileName === undefined ? "" : `; filename="${fileName}"`;
    const type = contentType === undefined ? "" : `\r\nContent-Type: ${contentType}`;
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${file}${type}\r\n\r\n`;
    return Buffer.concat([Buffer.from(head), body, Buffer.from("\r\n")]);
  });
  return Buffer.concat([...written, Buffer.from(`--${boundary}--${end}`)]);
}

const boundary = "----formdata-undici-012345678901";
const tricky = [
  "",
  "\r\n",
  "--",
  `\r\n--${boundary.slice(0, -1)}`,
  `--${boundary}`,
  `\n--${boundary}`,
  `\r\r\n-${boundary}`,
  `\r\n--${boundary.slice(0, 5)}\r\n--`,
  "\r\n\r\n",
];

describe("multipart forms", () => {
  test("any cut of the bytes gives the same parts", async () => {
    const body = fc.oneof(
      fc.array(fc.constantFrom(...tricky), { maxLength: 4 }).map((texts) => Buffer.from(texts.join("x"))),
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    );
    const part = fc.record(
      {
        name: fc.constantFrom("file", "purpose", "größe"),
        fileName: fc.constantFrom(undefined, "a.png", "Größe.txt", ""),
        contentType: fc.constantFrom(undefined, "image/png", "text/plain; charset=utf-8"),
        body,
      },
      { noNullPrototype: true },
    );
    const parts = fc.array(part, { maxLength: 4 });
    const cuts = fc.array(fc.nat({ max: 2000 }), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(parts, cuts, fc.constantFrom("", "\r\n"), async (wanted, places, end) => {
        const bytes = formOf(boundary, wanted, end);
        const inside = places.map((place) => place % (bytes.length + 1));
        assert.deepEqual(await partsOf(pieces(bytes, inside), boundary), wanted);
      }),
      { numRuns: 300 },
    );
  });

  test("byte for byte gives the same parts too", async () => {
    const wanted = tricky.map((text) => ({
      name: "file",
      fileName: undefined,
      contentType: undefined,
      body: Buffer.from(text),
    }));
    const bytes = formOf(boundary, wanted);
    const everywhere = Array.from(bytes, (_, at) => at);
    assert.deepEqual(await partsOf(pieces(bytes, everywhere), boundary), wanted);
  });

  test("a part that is not read, or not to its end, is passed over", async () => {
    const bytes = formOf(boundary, [
      { name: "a", body: Buffer.alloc(200_000, "a") },
      { name: "b", body: Buffer.alloc(200_000, "b") },
      { name: "c", body: Buffer.from("c") },
    ]);
    const names: string[] = [];
    const cuts = Array.from({ length: 40 }, (_, index) => index * 10_000);
    for await (const { name, body } of readMultipart(pieces(bytes, cuts), boundary)) {
      names.push(name);
      if (name === "b") for await (const _ of body) break;
    }
    assert.deepEqual(names, ["a", "b", "c"]);
  });

  test("a reader that stops early stops the source", async () => {
    let isStopped = false;
    const source = async function* (): AsyncGenerator<Buffer, void, undefined> {
      try {
        yield formOf(boundary, [{ name: "a", body: Buffer.alloc(1000) }]).subarray(0, 500);
        for (;;) yield Buffer.alloc(1000);
      } finally {
        isStopped = true;
      }
    };
    for await (const _ of readMultipart(source(), boundary)) break;
    assert.ok(isStopped);
  });

  test("memory does not grow with a part: no piece is larger than what came", async () => {
    const source = async function* (): AsyncGenerator<Buffer, void, undefined> {
      const form = formOf(boundary, [{ name: "file", body: Buffer.alloc(10) }]);
      yield form.subarray(0, -boundary.length - 8);
      for (let count = 0; count < 500; count += 1) yield Buffer.alloc(10_000, "\r\n--");
      yield form.subarray(-boundary.length - 8);
    };
    let largest = 0;
    let sum = 0;
    for await (const { body } of readMultipart(source(), boundary))
      for await (const bytes of body) {
        largest = Math.max(largest, bytes.length);
        sum += bytes.length;
      }
    assert.equal(sum, 5_000_010);
    assert.ok(largest <= 10_000 + boundary.length + 4, `${largest}`);
  });

  const line = 'Content-Disposition: form-data; name="file"';
  const whole = `--b\r\n${line}\r\n\r\nx\r\n--b--\r\n`;
  const broken: Readonly<Record<string, string>> = {
    nothing: "",
    "another boundary": whole.replaceAll("--b", "--c"),
    "a preamble": `hello\r\n${whole}`,
    "bare line feeds": whole.replaceAll("\r\n", "\n"),
    "a boundary that goes on": `--b\r\n${line}\r\n\r\nx\r\n--bc\r\n\r\n--b--`,
    "no last boundary": `--b\r\n${line}\r\n\r\nx\r\n`,
    "half a last boundary": `--b\r\n${line}\r\n\r\nx\r\n--b-`,
    "an end within the head": `--b\r\n${line}`,
    "a head without end": `--b\r\n${line}${"; x=y".repeat(5000)}\r\n\r\nx\r\n--b--`,
    "a part without headers": "--b\r\n\r\n\r\nx\r\n--b--",
    "a part without name": whole.replace('; name="file"', ""),
    "another disposition": whole.replace("form-data", "attachment"),
    "a disposition that begins alike": whole.replace("form-data", "form-database"),
    "two names": whole.replace("form-data;", 'form-data; name="other";'),
    "two dispositions": whole.replace(line, `${line}\r\n${line}`),
    "a folded header": whole.replace("; name", ";\r\n name"),
    "a header without colon": whole.replace(line, `${line}\r\nhello`),
    "a header with a space before its colon": whole.replace("Disposition:", "Disposition :"),
    "a quote without end": whole.replace('"file"', '"file'),
    base64: whole.replace(line, `${line}\r\nContent-Transfer-Encoding: base64`),
    "a file name that is not percent-encoded": whole.replace(line, `${line}; filename*=UTF-8''%zz`),
    "a file name in another charset": whole.replace(line, `${line}; filename*=latin1''a`),
    "something after the end": `${whole}${"x".repeat(2000)}`,
  };
  for (const [what, text] of Object.entries(broken)) {
    test(`is refused: ${what}`, async () => {
      for (const cuts of [[], Array.from({ length: Math.min(text.length, 300) }, (_, at) => at)]) {
        const read = partsOf(pieces(Buffer.from(text), cuts), "b");
        await assert.rejects(read, { name: "Problem", code: "invalid_request" });
      }
    });
  }

  test("what is refused differs from what is taken by that alone", async () => {
    assert.equal((await partsOf(pieces(Buffer.from(whole), []), "b")).length, 1);
    assert.deepEqual(await partsOf(pieces(Buffer.from("--b--"), []), "b"), []);
  });

  test("names arrive as clients of different habits write them", async () => {
    const written: Readonly<Record<string, string | undefined>> = {
      'filename="plain.txt"': "plain.txt",
      "filename=token.txt": "token.txt",
      'FileName="upper.txt"': "upper.txt",
      'filename=""': "",
      'filename="a;b=c.txt"': "a;b=c.txt",
      'filename="Größe 🎈.txt"': "Größe 🎈.txt",
      'filename="say %22hi%22%0D%0A.txt"': 'say "hi"\r\n.txt',
      'filename="100%.txt"': "100%.txt",
      'filename="50%25.txt"': "50%25.txt",
      'filename="say \\"hi\\".txt"': 'say "hi".txt',
      'filename="C:\\temp\\a.txt"': "C:\\temp\\a.txt",
      "filename*=UTF-8''Gr%C3%B6%C3%9Fe.txt": "Größe.txt",
      "filename=\"fallback.txt\"; filename*=utf-8'de'%e2%82%ac.txt": "€.txt",
      'x="y"': undefined,
    };
    for (const [parameter, fileName] of Object.entries(written)) {
      const text = whole.replace(line, `${line}; ${parameter}`);
      const [part] = await partsOf(pieces(Buffer.from(text), []), "b");
      assert.equal(part?.fileName, fileName, parameter);
      assert.equal(part?.name, "file");
    }
    const latin = Buffer.from(whole.replace(line, `${line}; filename="Gr\xf6\xdfe.txt"`), "latin1");
    assert.equal((await partsOf(pieces(latin, []), "b"))[0]?.fileName, "Größe.txt");
  });

  test("no bytes make it hang or throw anything but a refusal", async () => {
    const bits = [
      "\r\n",
      "--",
      "b",
      ":",
      ";",
      '"',
      "\\",
      line,
      "name",
      "=",
      "\r\n\r\n",
      "--b",
      "\r\n--b",
      "x",
      "%",
    ];
    const text = fc.array(fc.constantFrom(...bits), { maxLength: 40 }).map((found) => found.join(""));
    await fc.assert(
      fc.asyncProperty(text, fc.array(fc.nat({ max: 100 })), async (rest, cuts) => {
        const bytes = Buffer.from(`--b\r\n${rest}`);
        const read = partsOf(
          pieces(
            bytes,
            cuts.map((cut) => cut % bytes.length),
          ),
          "b",
        );
        await read.catch((error: unknown) => {
          assert.equal(error instanceof Error ? error.name : error, "Problem", String(error));
        });
      }),
      { numRuns: 1000 },
    );
  });
});
