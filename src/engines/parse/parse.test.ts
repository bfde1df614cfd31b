import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PDFDocument } from "pdf-lib";
import type { JsonObject } from "../../core/json-object.ts";
import { Problem } from "../../core/problems.ts";
import { EgressFailure } from "../../egress/egress-failure.ts";
import { encryptedPdf } from "./encrypted-pdf.test-support.ts";
import { parseEngine } from "./parse.ts";
import { onePagePdf, pdfOf } from "./sample-documents.test-support.ts";
import { docxOf, paragraph, pptxOf, shape, xlsxOf } from "./sample-office.test-support.ts";
import { chunksIn, parseBench } from "./parse-bench.test-support.ts";
import type { ParseBench } from "./parse-bench.test-support.ts";

let bench: ParseBench;

before(() => {
  bench = parseBench();
});
after(() => bench.stop());

function thirtyPages(): Promise<Uint8Array> {
  const pages = Array.from({ length: 30 }, (_, at) => ({
    heading: `Chapter ${at + 1}`,
    lines: [
      `The first paragraph of page ${at + 1} begins here,\nand it is con-\ntinued here.`,
      "The second one.",
    ],
  }));
  return pdfOf(pages, "Thirty pages");
}

test("a PDF has a chunk for each of its 30 pages, and 30 pages are charged", async () => {
  const url = "http://files.example/thirty.pdf";
  bench.files.set(url, { bytes: await thirtyPages() });
  const { output, usage, isEmpty, files } = await bench.parse({ document_url: url });
  const chunks = chunksIn(output);
  assert.equal(chunks.length, 30);
  for (const [at, chunk] of chunks.entries())
    assert.equal(
      chunk,
      `# Chapter ${at + 1}\n\nThe first paragraph of page ${at + 1} begins here, and it is continued here.\n\nThe second one.`,
    );
  assert.deepEqual({ usage, isEmpty, files }, { usage: { pages: 30 }, isEmpty: false, files: [] });
  assert.deepEqual([output["usage"], output["pages"]], [{ num_pages: 30 }, 30]);
  assert.ok(!("note" in output));
  const first = (output["result"] as { chunks: Record<string, unknown>[]; type: string }).chunks[0];
  assert.deepEqual(first, { content: chunks[0], embed: chunks[0], enriched: null, blocks: [] });
});

test("only the pages that were asked for are read and charged", async () => {
  const file = { bytes: await thirtyPages() };
  const cases: readonly [range: unknown, first: number, count: number][] = [
    ["2-4,30", 2, 4],
    [7, 7, 1],
    [{ start: 29 }, 29, 2],
    [{ end: 3 }, 1, 3],
    [[{ start: 5, end: 6 }, 6, 9], 5, 3],
    ["28-99", 28, 3],
  ];
  for (const [range, first, count] of cases) {
    const { chunks, pages } = await bench.read(file, { page_range: range });
    assert.deepEqual([chunks.length, pages], [count, count], JSON.stringify(range));
    assert.match(chunks[0] ?? "", new RegExp(`^# Chapter ${first}\n`));
  }
});

test("no more pages are read and charged than were asked for, and of a range its first", async () => {
  const file = { bytes: await thirtyPages() };
  for (const [inputs, first, count] of [
    [{ max_pages: 3 }, 1, 3],
    [{ max_pages: 100 }, 1, 30],
    [{ max_pages: 2, page_range: { start: 5 } }, 5, 2],
  ] as const) {
    const { chunks, pages } = await bench.read(file, inputs);
    assert.deepEqual([chunks.length, pages], [count, count], JSON.stringify(inputs));
    assert.match(chunks[0] ?? "", new RegExp(`^# Chapter ${first}\n`));
  }
});

test("without chunks the document is one text", async () => {
  const file = { bytes: await thirtyPages() };
  const { chunks, pages } = await bench.read(file, { chunk_mode: "disabled", max_pages: 2 });
  const each = (await bench.read(file, { chunk_mode: "page", max_pages: 2 })).chunks;
  assert.deepEqual([chunks, pages, each.length], [[each.join("\n\n")], 2, 2]);
});

test("a protected PDF opens with its password, and with no other", async () => {
  const file = { bytes: encryptedPdf("open sesame", "Nobody reads this") };
  for (const inputs of [
    { settings: { document_password: "open sesame" } },
    { document_password: "open sesame" },
  ])
    assert.deepEqual((await bench.read(file, inputs)).chunks, ["Nobody reads this"]);
  for (const [inputs, param] of [
    [{}, "document_url"],
    [{ settings: { document_password: "guess" } }, "settings.document_password"],
    [{ document_password: "guess" }, "document_password"],
  ] as const)
    await assert.rejects(bench.read(file, inputs), (error: unknown) => {
      assert.ok(error instanceof Problem);
      assert.deepEqual([error.code, error.param], ["invalid_request", param]);
      return true;
    });
});

test("what is taken and cannot be done is named", () => {
  const leftOut = (inputs: JsonObject) => parseEngine({ pool: bench.pool }).leavesOut?.(inputs);
  const settings = { ocr_system: "legacy", extraction_mode: "ocr", document_password: "x" };
  assert.deepEqual(leftOut({ chunk_mode: "section", table_output_format: "csv", settings }), [
    "chunk_mode",
    "table_output_format",
    "settings.ocr_system",
    "settings.extraction_mode",
  ]);
  const usual = {
    chunk_mode: "disabled",
    table_output_format: "md",
    settings: { extraction_mode: "hybrid" },
  };
  assert.deepEqual([leftOut(usual), leftOut({})], [[], []]);
});

test("a PDF without any text is not charged", async () => {
  const document = await PDFDocument.create();
  document.addPage();
  const url = "http://files.example/scan.pdf";
  bench.files.set(url, { bytes: await document.save() });
  const { output, isEmpty } = await bench.parse({ document_url: url });
  assert.deepEqual([chunksIn(output), isEmpty, output["pages"]], [[], true, 1]);
  assert.match(String(output["note"]), /no text.*scan/);
});

test("a text document keeps its headings, lists, tables and emphasis, and its pages are those it was laid out on", async () => {
  const cell = (text: string): string => `<w:tc>${paragraph(text)}</w:tc>`;
  const body = [
    paragraph("On tea", "Heading1"),
    `<w:p><w:r><w:t>It is </w:t></w:r><w:r><w:rPr><w:b/></w:rPr><w:t>hot</w:t></w:r></w:p>`,
    `<w:tbl><w:tr>${cell("Tea")}${cell("°C")}</w:tr><w:tr>${cell("Green")}${cell("70")}</w:tr></w:tbl>`,
    `<w:p><w:r><w:br w:type="page"/><w:lastRenderedPageBreak/><w:t>Second page &amp; last</w:t></w:r></w:p>`,
  ].join("");
  const { chunks, pages } = await bench.read({ bytes: docxOf(body) });
  assert.deepEqual(chunks, [
    "# On tea\n\nIt is **hot**\n\n| Tea | °C |\n| --- | --- |\n| Green | 70 |\n\nSecond page & last",
  ]);
  assert.equal(pages, 2);
});

test("a workbook is a table for each sheet, with texts, numbers, dates, truths and results", async () => {
  const styles = `<numFmts><numFmt numFmtId="164" formatCode="[Red]yyyy\\-mm\\-dd hh:mm"/>
    <numFmt numFmtId="165" formatCode="0.00&quot; days&quot;"/></numFmts>
    <cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>
    <cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/></cellXfs>`;
  const rows = `<row r="1"><c r="A1" t="s"><v>0</v></c><c r="C1" t="s"><v>1</v></c></row><row r="2"/>
    <row r="3"><c r="A3" t="inlineStr"><is><t>Green | young</t></is></c><c r="C3"><v>70.5</v></c></row>
    <row r="4"><c r="A4" s="1"><v>46351</v></c><c r="C4" s="2"><v>46351.75</v></c></row>
    <row r="5"><c r="A5" t="b"><v>1</v></c><c r="C5" s="3"><f>A1+1</f><v>2.5</v></c></row>
    <row r="6"><c r="A6" t="e"><v>#DIV/0!</v></c><c r="C6" t="str"><f>"a"</f><v>two
lines</v></c></row>`;
  const texts = ["<t>Tea</t>", "<r><t>War</t></r><r><t>mth</t></r><rPh><t>reading</t></rPh>"];
  const file = {
    bytes: xlsxOf(
      { "Tea &amp; more": rows, Empty: "", Last: "<row><c><v>1</v></c></row>" },
      { texts, styles },
    ),
  };
  const { chunks, pages } = await bench.read(file);
  assert.deepEqual(chunks, [
    [
      "## Tea & more\n",
      "| Tea | Warmth |",
      "| --- | --- |",
      "| Green \\| young | 70.5 |",
      "| 2026-11-25 | 2026-11-25 18:00:00 |",
      "| TRUE | 2.5 |",
      "| #DIV/0! | two<br>lines |",
    ].join("\n"),
    "## Empty",
    "## Last\n\n| 1 |\n| --- |",
  ]);
  assert.equal(pages, 3);
  assert.deepEqual((await bench.read(file, { page_range: 3 })).chunks, ["## Last\n\n| 1 |\n| --- |"]);
});

test("a presentation is read slide by slide as it is shown, with tables and the speaker's notes", async () => {
  const cell = (text: string): string =>
    `<a:tc><a:txBody><a:p><a:r><a:t>${text}</a:t></a:r></a:p></a:txBody></a:tc>`;
  const table = `<p:graphicFrame><a:tbl><a:tr>${cell("Tea")}${cell("°C")}</a:tr>
    <a:tr>${cell("Green")}${cell("70")}</a:tr></a:tbl></p:graphicFrame>`;
  const slides = [
    {
      shapes:
        shape("body", ["Pour", ">slowly", "Wait"]) + shape("title", ["On tea"]) + shape("sldNum", ["1"]),
    },
    {
      shapes: shape("ctrTitle", ["Warmth"]) + table + shape(undefined, ["A note of mine"]),
      notes: "Speak up",
    },
  ];
  const { chunks, pages } = await bench.read({ bytes: pptxOf(slides) });
  assert.deepEqual(chunks, [
    "## On tea\n\n- Pour\n  - slowly\n- Wait",
    "## Warmth\n\n| Tea | °C |\n| --- | --- |\n| Green | 70 |\n\nA note of mine\n\n> Notes:\n>\n> Speak up",
  ]);
  assert.equal(pages, 2);
});

test("HTML, separated values and plain text are read as what they are", async () => {
  const html = {
    bytes: Buffer.from("<html><nav>Nav</nav><h1>Title</h1><p>Text <a href=x>link</a>"),
    contentType: "text/html",
  };
  assert.deepEqual((await bench.read(html)).chunks, ["# Title\n\nText [link](http://files.example/x)"]);
  const csv = 'Tea;Note\r\nGreen;"says ""hot"";\ntwo lines"\r\n\r\nBlack;a|b\r\n';
  const table = '| Tea | Note |\n| --- | --- |\n| Green | says "hot";<br>two lines |\n| Black | a\\|b |';
  assert.deepEqual(await bench.read({ bytes: Buffer.from(csv), contentType: "text/csv" }), {
    chunks: [table],
    pages: 1,
  });
  const text = { bytes: Buffer.from("Gr\xfc\xdfe,\nnothing more\n", "latin1"), contentType: "text/plain" };
  assert.deepEqual((await bench.read(text)).chunks, ["Grüße,\nnothing more"]);
});

test("a document may be within the inputs, and goes by three names", async () => {
  const pdf = Buffer.from(await onePagePdf("Within"));
  const url = `data:application/pdf;base64,${pdf.toString("base64")}`;
  for (const name of ["document_url", "input", "url"])
    assert.deepEqual(chunksIn((await bench.parse({ [name]: url })).output), ["Within"], name);
  const { output } = await bench.parse({ input: "data:text/plain,Gr%C3%BC%C3%9Fe" });
  assert.deepEqual(chunksIn(output), ["Grüße"]);
});

test("a document that cannot be had is told by the input that names it", async () => {
  const engine = parseEngine({ pool: bench.pool });
  const { signal } = new AbortController();
  for (const [failure, code] of [
    [new EgressFailure("refused", "no such name"), "upstream_error"],
    [new EgressFailure("too_large", "more than it may be"), "invalid_request"],
    [new Problem("url_not_allowed"), "url_not_allowed"],
    [new Problem("not_found"), "not_found"],
  ] as const) {
    const fetchFile = (): Promise<never> => Promise.reject(failure);
    await assert.rejects(
      engine.run({ inputs: { url: "http://files.example/x" }, signal, fetchFile }),
      (error: unknown) => {
        assert.ok(error instanceof Problem && error.code === code, String(error));
        return true;
      },
    );
  }
  await assert.rejects(bench.parse({}), (error: unknown) => {
    assert.ok(error instanceof Problem);
    assert.deepEqual([error.code, error.param], ["invalid_request", "document_url"]);
    return true;
  });
});
