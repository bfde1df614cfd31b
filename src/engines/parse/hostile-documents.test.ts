import assert from "node:assert/strict";
import { deflateSync } from "node:zlib";
import { after, before, test } from "node:test";
import { Problem } from "../../core/problems.ts";
import { pdfOf } from "./sample-documents.test-support.ts";
import { archiveOf, docxOf, paragraph, pptxOf, shape, xlsxOf } from "./sample-office.test-support.ts";
import { parseBench } from "./parse-bench.test-support.ts";
import type { ParseBench, TestFile } from "./parse-bench.test-support.ts";

let bench: ParseBench;

before(() => {
  bench = parseBench({ workers: 1, maxHeapMb: 512, maxMemoryMb: 400 });
});
after(() => bench.stop());

async function refuses(
  file: TestFile,
  words: RegExp,
  inputs: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  await assert.rejects(bench.read(file, inputs), (error: unknown) => {
    assert.ok(error instanceof Problem, String(error));
    assert.deepEqual([error.code, error.status], ["invalid_request", 400]);
    assert.equal(error.param, "document_url");
    assert.match(error.message, words);
    return true;
  });
}

/** What came before did the reader no harm. */
async function readsOn(): Promise<void> {
  assert.deepEqual((await bench.read({ bytes: docxOf(paragraph("Still here")) })).chunks, ["Still here"]);
}

test("what is empty, broken off, or of another kind is refused by name", async () => {
  const pdf = await pdfOf([{ heading: "Whole", lines: ["text"] }]);
  const docx = docxOf(paragraph("Whole"));
  await refuses({ bytes: new Uint8Array() }, /empty/);
  await refuses({ bytes: Buffer.from("  \n ") }, /empty/);
  await refuses({ bytes: Buffer.from("%PDF-1.7\nnothing of the kind") }, /no PDF/);
  await refuses({ bytes: pdf.slice(0, 200) }, /no PDF|No page/);
  await refuses({ bytes: docx.slice(0, docx.length / 2) }, /broken archive/);
  await refuses({ bytes: archiveOf({ "notes.xml": "<a/>" }) }, /no document/);
  await refuses({ bytes: Buffer.from("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "latin1") }, /no kind that is read/);
  await refuses({ bytes: docxOf("", { "word/document.xml": "<w:document><w:body><w:p" }) }, /broken off/);
  await refuses({ bytes: docxOf("", { "word/document.xml": "<nothing/>" }) }, /no text document/);
  await refuses({ bytes: xlsxOf({}) }, /no sheets/);
  await refuses({ bytes: pptxOf([]) }, /no slides/);
  await readsOn();
});

test("remains of a PDF are no empty document", async () => {
  const [head, tail] = ["%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n", "trailer<</Root 1 0 R>>"];
  for (const pages of [
    "2 0 obj<</Type/Page>>endobj\n",
    "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R>>endobj\n",
    "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Contents 4 0 R>>endobj\n",
    "2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n",
    "2 0 obj<</Type/Pages/Kids[]/Count 1>>endobj\n",
    "",
  ])
    await refuses({ bytes: Buffer.from(`${head}${pages}${tail}`) }, /no PDF|No page|no pages/);
  await refuses({ bytes: Buffer.from(`${head}${tail}`.replace("2 0 R", "1 0 R")) }, /no PDF|No page/);
});

test("encrypted documents are refused as such", async () => {
  // The password hashes of a file that asks for one; nothing in it needs to be real beyond that.
  const encrypt =
    "<< /Filter /Standard /V 1 /R 2 /Length 40 /P -4 " + `/O <${"28".repeat(32)}> /U <${"17".repeat(32)}> >>`;
  const pdf = `%PDF-1.4
1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj
2 0 obj << /Type /Pages /Kids [3 0 R] /Count 1 >> endobj
3 0 obj << /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >> endobj
4 0 obj ${encrypt} endobj
trailer << /Root 1 0 R /Encrypt 4 0 R /ID [<00112233445566778899aabbccddeeff> <00112233445566778899aabbccddeeff>] >>
%%EOF`;
  await refuses({ bytes: Buffer.from(pdf, "latin1") }, /encrypted/);
  const encryptedOffice = Buffer.concat([Buffer.from("d0cf11e0a1b11ae1", "hex"), Buffer.alloc(504)]);
  await refuses({ bytes: encryptedOffice }, /encrypted/);
});

test("an archive that grows without end is refused before it does", async () => {
  const large = new Uint8Array(130 * 1024 * 1024);
  const bomb = docxOf(paragraph("small"), { "word/bomb.xml": large });
  assert.ok(bomb.length < 2 * 1024 * 1024, `${bomb.length}`);
  await refuses({ bytes: bomb }, /larger than 128 MB once it is unpacked/);
  await readsOn();
});

test("an archive that lies about what it holds is cut at what it claims", async () => {
  const text = `<p:sld>${shape("title", ["x".repeat(4_000_000)])}</p:sld>`;
  const archive = Buffer.from(pptxOf([{ shapes: shape("title", ["honest"]) }, { shapes: text }]));
  // The second slide is the first file; its size stands in the directory at the archive's end.
  const directoryAt = archive.lastIndexOf("PK\x01\x02");
  for (
    let at = archive.indexOf("PK\x01\x02");
    at !== -1 && at <= directoryAt;
    at = archive.indexOf("PK\x01\x02", at + 4)
  ) {
    const name = archive.toString("latin1", at + 46, at + 46 + archive.readUInt16LE(at + 28));
    if (name === "ppt/slides/slide1.xml") archive.writeUInt32LE(1000, at + 24);
  }
  await refuses({ bytes: archive }, /broken off/);
  await readsOn();
});

test("an archive of countless parts is refused", async () => {
  const parts = Object.fromEntries(Array.from({ length: 6000 }, (_, at) => [`word/p${at}.xml`, ""]));
  await refuses({ bytes: docxOf(paragraph("x"), parts) }, /more than 5000 parts/);
});

test("a PDF whose streams grow without end is ended by the memory they may take", async () => {
  const huge = deflateSync(Buffer.alloc(300 * 1024 * 1024, 0x20), { level: 1 });
  const filters = `/Filter /FlateDecode /Length ${huge.length}`;
  const pdf = Buffer.concat([
    Buffer.from(`%PDF-1.4
1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj
2 0 obj << /Type /Pages /Kids [3 0 R] /Count 1 >> endobj
3 0 obj << /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R >> endobj
4 0 obj << ${filters} >> stream
`),
    huge,
    Buffer.from("\nendstream endobj\ntrailer << /Root 1 0 R >>\n%%EOF"),
  ]);
  await refuses({ bytes: pdf }, /more memory|took more than/);
  await readsOn();
});

test("definitions within a document are not read, so nothing in it can multiply", async () => {
  const bomb = `<!DOCTYPE w [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><w:document>&b;</w:document>`;
  await refuses({ bytes: docxOf("", { "word/document.xml": bomb }) }, /document type/);
  const inside = `<worksheet><!DOCTYPE x SYSTEM "http://127.0.0.1/x"><sheetData/></worksheet>`;
  await refuses({ bytes: xlsxOf({ One: `</sheetData>${inside}<sheetData>` }) }, /document type/);
});

test("documents nested without end are refused", async () => {
  const deep = "<w:tbl><w:tr><w:tc>".repeat(5000) + "</w:tc></w:tr></w:tbl>".repeat(5000);
  await refuses({ bytes: docxOf(deep) }, /nested too deeply/);
  await readsOn();
});

test("a sheet whose few cells lie far apart is as small as its cells", async () => {
  const rows = `<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>`;
  const { chunks } = await bench.read({ bytes: xlsxOf({ Far: rows }) });
  assert.deepEqual(chunks, ["## Far\n\n| 1 |  |\n| --- | --- |\n|  | 2 |"]);
});

test("a sheet that would be written out endlessly is refused", async () => {
  const name = (column: number): string => {
    let letters = "";
    for (let left = column; left > 0; left = Math.floor((left - 1) / 26))
      letters = String.fromCharCode(65 + ((left - 1) % 26)) + letters;
    return letters;
  };
  const rows = Array.from({ length: 1500 }, (_, at) => `<row><c r="${name(at + 1)}1"><v>1</v></c></row>`);
  await refuses({ bytes: xlsxOf({ Diagonal: rows.join("") }) }, /too large/);
});

test("pages that are not there are refused by name", async () => {
  const pdf = await pdfOf([{ heading: "One", lines: [] }]);
  for (const range of ["5-6", "0", "4-2", "a", 0, { start: 3, end: 1 }]) {
    await assert.rejects(
      bench.read({ bytes: pdf }, { page_range: range }),
      (error: unknown) =>
        error instanceof Problem && error.code === "invalid_request" && error.param === "page_range",
      JSON.stringify(range),
    );
  }
});
