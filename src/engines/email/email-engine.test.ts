import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import type { JsonObject } from "../../core/json-object.ts";
import { Problem } from "../../core/problems.ts";
import type { EngineContext, EngineResult } from "../engine.ts";
import { emailEngine } from "./email-engine.ts";
import type { EmailSettings } from "./email-engine.ts";
import { startMailServer } from "./mail-servers.test-support.ts";
import type { MailServer, ReceivedLetter } from "./mail-servers.test-support.ts";
import { leavesOf, readMail } from "./received-mail.test-support.ts";

const hello: JsonObject = { to: "jane@example.com", subject: "Hello", text: "Good morning" };

function settingsFor(smtpUrl: string, more: Partial<EmailSettings> = {}): EmailSettings {
  return { smtpUrl, from: "Sender <hello@house.example>", allowedFromDomains: [], tls: "required", ...more };
}

function contextOf(inputs: JsonObject, more: Partial<EngineContext> = {}): EngineContext {
  const fetchFile = () => Promise.reject(new Error("nothing is to be fetched here"));
  return { inputs, signal: new AbortController().signal, fetchFile, ...more };
}

async function refusalOf(run: Promise<EngineResult>): Promise<Problem> {
  try {
    await run;
  } catch (error) {
    assert.ok(error instanceof Problem, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: "the run was not refused" });
}

suite("with a server that takes e-mail", () => {
  let server: MailServer;
  before(async () => {
    server = await startMailServer({ size: 20_000_000 });
  });
  after(() => server.stop());

  const send = (
    inputs: JsonObject,
    more: Partial<EmailSettings> = {},
    context: Partial<EngineContext> = {},
  ) => emailEngine(settingsFor(`smtp://127.0.0.1:${server.port}`, more)).run(contextOf(inputs, context));

  async function delivered(
    inputs: JsonObject,
    context: Partial<EngineContext> = {},
  ): Promise<ReceivedLetter> {
    const before = server.received.length;
    await send(inputs, {}, context);
    assert.equal(server.received.length, before + 1);
    const letter = server.received.at(-1);
    assert.ok(letter !== undefined);
    return letter;
  }

  test("an e-mail arrives as it was written, and the answer tells its id and who gets it", async () => {
    const inputs = {
      to: ["Jané Doe <jane@example.com>", { email: "joe@example.com", name: "Doe, Joe" }],
      cc: "cc@example.com; second@example.com",
      bcc: ["hidden@example.com"],
      reply_to: "answers@house.example",
      subject: "Grüße — 你好 — and a long subject that has to be folded over several lines of the header 😀",
      html: "<p>Grüße &amp; more</p>\n<p>.</p>\n.\n",
      text: "Grüße\n.\n..two dots\nFrom here",
    };
    const before = server.connections();
    const result = await send(inputs);
    const letter = server.received.at(-1);
    assert.ok(letter !== undefined);
    const all = ["jane", "joe", "cc", "second", "hidden"].map((name) => `${name}@example.com`);
    assert.deepEqual(letter.recipients.toSorted(), all.toSorted());
    assert.equal(letter.from, "hello@house.example");
    assert.equal(server.connections(), before + 1);
    const mail = readMail(letter.bytes);
    assert.deepEqual(result.output, {
      message_id: mail.headers.get("message-id"),
      accepted: all,
      rejected: [],
    });
    assert.deepEqual([result.usage, result.files], [{ emails: 5 }, []]);
    assert.match(String(result.output["message_id"]), /^<[\w.-]+@house\.example>$/);
    assert.equal(mail.headers.get("subject"), inputs.subject);
    assert.equal(mail.headers.get("from"), "Sender <hello@house.example>");
    assert.equal(mail.headers.get("to"), 'Jané Doe <jane@example.com>, "Doe, Joe" <joe@example.com>');
    assert.equal(mail.headers.get("cc"), "cc@example.com, second@example.com");
    assert.equal(mail.headers.get("reply-to"), "answers@house.example");
    assert.ok(!letter.bytes.toString().includes("hidden@"));
    const [text, html] = leavesOf(mail);
    assert.match(text?.contentType ?? "", /^text\/plain; charset=utf-8/);
    assert.match(html?.contentType ?? "", /^text\/html; charset=utf-8/);
    const asSent = (part: typeof text) => part?.bytes.toString().replaceAll("\r\n", "\n").trimEnd();
    assert.equal(asSent(text), inputs.text);
    assert.equal(asSent(html), inputs.html.trimEnd());
  });

  test("attachments arrive byte by byte, from base64 and by address, with their names and types", async () => {
    const bytes = Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 7) % 256));
    const asked: unknown[] = [];
    const letter = await delivered(
      {
        ...hello,
        attachments: [
          { filename: "Rechnung März.pdf", content: bytes.toString("base64") },
          { url: "https://files.example/report.csv?x=1" },
          { filename: "x.html", url: "https://files.example/other", content_type: "text/plain" },
          { filename: "message.eml", content: Buffer.from("Subject: x\r\n\r\ny").toString("base64") },
        ],
      },
      {
        fetchFile: (url, maxBytes) => {
          asked.push([url, maxBytes]);
          return Promise.resolve({ bytes, contentType: "text/csv; charset=utf-8", url });
        },
      },
    );
    assert.deepEqual(asked, [
      ["https://files.example/report.csv?x=1", 9_995_000],
      ["https://files.example/other", 9_990_000],
    ]);
    const parts = leavesOf(readMail(letter.bytes));
    const types = parts.map((part) => part.contentType.split(";", 1)[0]);
    assert.deepEqual(types, [
      "text/plain",
      "application/pdf",
      "text/csv",
      "text/plain",
      "application/octet-stream",
    ]);
    const names = parts.map((part) => part.headers.get("content-disposition"));
    assert.match(String(names[1]), /^attachment; filename\*0\*=utf-8''Rechnung%20M%C3%A4rz\.pdf/);
    assert.deepEqual(names.slice(2), [
      "attachment; filename=report.csv",
      "attachment; filename=x.html",
      "attachment; filename=message.eml",
    ]);
    assert.equal(parts[0]?.bytes.toString().trim(), "Good morning");
    for (const part of parts.slice(1, 4)) assert.deepEqual(part.bytes, bytes);
  });

  test("an address that is named several times gets one e-mail and is paid once", async () => {
    const result = await send({ ...hello, to: ["a@example.com", "A@example.com"], cc: "a@EXAMPLE.com" });
    assert.deepEqual(server.received.at(-1)?.recipients.length, 1);
    assert.deepEqual(result.usage, { emails: 1 });
  });

  test("an address with other letters after the @ is sent to in its ASCII form", async () => {
    const { output } = await send({ ...hello, to: "jane@Bücher.example" });
    assert.deepEqual(output["accepted"], ["jane@xn--bcher-kva.example"]);
  });

  test("no member can add a header, a recipient or a command: line breaks are refused by name", async () => {
    const evil = "x\r\nBcc: thief@example.com\r\n\r\nbody";
    const cases: readonly (readonly [JsonObject, string])[] = [
      [{ subject: evil }, "subject"],
      [{ subject: "x\nSubject: y" }, "subject"],
      [{ subject: "x\u0000" }, "subject"],
      [{ to: `jane@example.com${evil}` }, "to"],
      [{ to: ["ok@example.com", `"${evil}" <jane@example.com>`] }, "to[1]"],
      [{ to: [{ email: "jane@example.com", name: evil }] }, "to[0].name"],
      [{ to: ["jane@example.com>\r\nRCPT TO:<thief@example.com"] }, "to[0]"],
      [{ cc: "a@example.com\n" }, "cc"],
      [{ bcc: ["a@example.com\r"] }, "bcc[0]"],
      [{ reply_to: `a@example.com${evil}` }, "reply_to"],
      [{ from: `hello@house.example${evil}` }, "from"],
      [{ attachments: [{ filename: evil, content: "" }] }, "attachments[0].filename"],
      [
        { attachments: [{ filename: "a", content: "", content_type: "text/plain\r\nX: y" }] },
        "attachments[0].content_type",
      ],
      [
        { attachments: [{ filename: "a", content: "", content_type: "text/plain; x=y" }] },
        "attachments[0].content_type",
      ],
    ];
    const before = server.connections();
    for (const [change, param] of cases) {
      const problem = await refusalOf(send({ ...hello, ...change }));
      assert.deepEqual([problem.code, problem.param], ["invalid_request", param], JSON.stringify(change));
    }
    assert.equal(server.connections(), before);
  });

  test("what a body says stays in the body, also when it looks like headers and the end of a message", async () => {
    const text = "\r\nBcc: thief@example.com\r\n.\r\nQUIT\r\n\r\n--boundary--";
    const letter = await delivered({ ...hello, text, html: text });
    assert.deepEqual(letter.recipients, ["jane@example.com"]);
    for (const part of leavesOf(readMail(letter.bytes))) assert.ok(part.bytes.toString().startsWith(text));
  });

  test("addresses that no server would surely understand alike are refused, naming the one", async () => {
    const odd = [
      ...[
        "jane",
        "@example.com",
        "jane@",
        "jane@localhost",
        "jane@example",
        "jane@example..com",
        "a b@example.com",
      ],
      ...[
        '"a b"@example.com',
        "jane@[127.0.0.1]",
        "jane@127.0.0.1",
        "jane@exa_mple.com",
        ".jane@example.com",
      ],
      ...[
        "jane.@example.com",
        "jane@-a.example",
        `${"x".repeat(65)}@example.com`,
        "jané@example.com",
        "",
        " ",
      ],
      ...[
        "jane@example.com (comment)",
        "<jane@example.com",
        "a@b.example,c@d.example",
        "jane@example.com<x@y.example",
      ],
      ...[7, null, {}, { name: "x" }, ["jane@example.com"], `a@${"b.".repeat(130)}example`],
    ];
    for (const address of odd) {
      const problem = await refusalOf(send({ ...hello, to: ["ok@example.com", "ok2@example.com", address] }));
      assert.deepEqual([problem.code, problem.param], ["invalid_request", "to[2]"], JSON.stringify(address));
    }
  });

  test("what is missing, too much or of the wrong kind is refused, naming it", async () => {
    const cases: readonly (readonly [JsonObject, string])[] = [
      [{ to: undefined }, "to"],
      [{ to: [] }, "to"],
      [{ to: "" }, "to"],
      [{ to: { email: "jane@example.com", variables: { name: "Jane" } } }, "to.variables"],
      [{ to: Array.from({ length: 51 }, (_, index) => `a${index}@example.com`) }, "to"],
      [
        {
          to: Array.from({ length: 30 }, (_, index) => `a${index}@example.com`),
          bcc: Array.from({ length: 21 }, (_, index) => `b${index}@example.com`).join(","),
        },
        "to",
      ],
      [{ to: `"${'\\"'.repeat(500_000)}` }, "to"],
      [{ to: "<".repeat(500_000) }, "to"],
      [{ subject: undefined }, "subject"],
      [{ subject: " " }, "subject"],
      [{ text: undefined }, "html"],
      [{ text: 5 }, "text"],
      [{ html: { path: "/etc/passwd" } }, "html"],
      [{ attachments: { path: "/etc/passwd" } }, "attachments"],
      [{ attachments: [{ path: "/etc/passwd", filename: "x" }] }, "attachments[0].content"],
      [{ attachments: [{ filename: "../x", content: "" }] }, "attachments[0].filename"],
      [{ attachments: [{ content: "AAAA" }] }, "attachments[0].filename"],
      [{ attachments: [{ filename: "x", content: "???" }] }, "attachments[0].content"],
      [{ attachments: [{ filename: "x", content: { path: "/etc/passwd" } }] }, "attachments[0].content"],
      [{ attachments: [{ filename: "x", url: "file:///etc/passwd" }] }, "attachments[0].url"],
      [{ attachments: [{ filename: "x", url: "/etc/passwd" }] }, "attachments[0].url"],
      [{ attachments: Array(21).fill({ filename: "x", content: "" }) }, "attachments"],
    ];
    const before = server.connections();
    for (const [change, param] of cases) {
      const problem = await refusalOf(send({ ...hello, ...change }));
      assert.deepEqual(
        [problem.code, problem.param],
        ["invalid_request", param],
        JSON.stringify(change).slice(0, 80),
      );
    }
    assert.equal(server.connections(), before);
  });

  test("attachments have 10 MB together: that much arrives, a byte more is refused", async () => {
    const half = Buffer.alloc(5_000_000, "x").toString("base64");
    const most = [
      { filename: "a", content: half },
      { filename: "b", content: half },
    ];
    const letter = await delivered({ ...hello, attachments: most });
    assert.deepEqual(
      leavesOf(readMail(letter.bytes)).map((part) => part.bytes.length > 4_999_999),
      [false, true, true],
    );
    const more = [...most, { filename: "c", content: "AA" }];
    const { param } = await refusalOf(send({ ...hello, attachments: more }));
    assert.equal(param, "attachments[2].content");
  });

  test("the sender is the operator's, or one at a domain that the operator allows", async () => {
    const from = async (sender: unknown, allowedFromDomains: readonly string[] = []) => {
      await send({ ...hello, from: sender }, { allowedFromDomains });
      return readMail(server.received.at(-1)?.bytes ?? Buffer.alloc(0)).headers.get("from");
    };
    assert.equal(await from("Support <HELLO@house.example>"), "Support <HELLO@house.example>");
    assert.equal(await from("news@shop.example", ["Shop.Example"]), "news@shop.example");
    for (const other of [
      "hello@other.example",
      "hello@sub.shop.example",
      "hello@shop.example.thief.example",
    ]) {
      const problem = await refusalOf(
        send({ ...hello, from: other }, { allowedFromDomains: ["shop.example"] }),
      );
      assert.deepEqual([problem.code, problem.param], ["invalid_request", "from"]);
      assert.match(problem.message, /hello@house\.example, or an address at shop\.example/);
    }
  });

  test("a run that was called off before it began sends nothing", async () => {
    const reason = new Problem("shutting_down");
    const before = server.connections();
    await assert.rejects(send(hello, {}, { signal: AbortSignal.abort(reason) }), reason);
    assert.equal(server.connections(), before);
  });
});

test("without a relay or a sender the engine says what to set, and sends nothing", async () => {
  const from = "hello@house.example";
  for (const [smtpUrl, sender, variable] of [
    [undefined, from, "SKILLBOSS_SMTP_URL"],
    ["http://mail.example", from, "SKILLBOSS_SMTP_URL"],
    ["smtp://", from, "SKILLBOSS_SMTP_URL"],
    ["smtp://%zz@mail.example", from, "SKILLBOSS_SMTP_URL"],
    ["smtp://mail.example", undefined, "SKILLBOSS_SMTP_FROM"],
    ["smtp://mail.example", "nobody", "SKILLBOSS_SMTP_FROM"],
  ] as const) {
    const engine = emailEngine({ smtpUrl, from: sender, allowedFromDomains: [], tls: "required" });
    assert.match(engine.missing() ?? "", new RegExp(variable));
    const problem = await refusalOf(engine.run(contextOf(hello)));
    assert.equal(problem.code, "provider_not_configured");
  }
  const whole = emailEngine(settingsFor("smtps://user:pass%40word@mail.example"));
  assert.equal(whole.missing(), undefined);
});
