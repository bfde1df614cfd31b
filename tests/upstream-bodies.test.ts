import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { endsClean } from "./support/clean-end.ts";
import { body, compressed, ok, raw, sse, status } from "./support/fake-behaviours.ts";
import type { Behaviour, Compression } from "./support/fake-behaviours.ts";
import { startFakeUpstream } from "./support/fake-upstream.ts";
import type { FakeUpstream } from "./support/fake-upstream.ts";
import { fakeWires } from "./support/fake-wires.ts";
import type { Customer } from "./support/gateway-api.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";
import { hello, stream } from "./support/stream-reader.ts";
import { isWholePlan } from "./support/plan-scale.ts";
import { receiptOf } from "./support/receipts.ts";

let p1: FakeUpstream;
let p2: FakeUpstream;
let gateway: Gateway;
let customer: Customer;
before(async () => {
  p1 = await startFakeUpstream();
  p2 = await startFakeUpstream();
  gateway = await startGateway({ p1: p1.baseUrl, p2: p2.baseUrl, a1: p1.origin });
  customer = await gateway.customer({ credits: "100000.00" });
});
after(async () => {
  try {
    assert.doesNotMatch(
      gateway.log(),
      new RegExp(`(${mark}){${Math.ceil(200 / mark.length) + 1}}`),
      "foreign text is cut",
    );
    assert.doesNotMatch(gateway.log(), /secret-p1|secret-a1/);
    await endsClean(gateway);
  } finally {
    await Promise.all([p1.stop(), p2.stop()]);
  }
});

type Seen = {
  readonly status: number;
  readonly content: string;
  readonly code: string | undefined;
  readonly text: string;
  readonly requestId: string | null;
};

async function ask(model: string, isStream: boolean): Promise<Seen> {
  if (isStream) {
    const seen = await stream(gateway, customer.key, { model });
    const { content, text } = seen;
    return {
      status: seen.status,
      content,
      code: seen.error?.code,
      text,
      requestId: seen.headers.get("x-request-id"),
    };
  }
  const response = await gateway.chat(customer.key, { ...hello, model });
  const text = new TextDecoder("utf-8", { fatal: true }).decode(await response.arrayBuffer());
  const json = JSON.parse(text);
  return {
    status: response.status,
    content: json.choices?.[0].message.content ?? "",
    code: json.error?.code,
    text,
    requestId: response.headers.get("x-request-id"),
  };
}

/** Foreign text, which no client is to read and the log only the beginning of. */
const mark = "FOREIGN_";
const foreign = mark.repeat(2_000);
const answer = {
  model: "up",
  usage: { prompt: 9, cached: 0, completion: 1, reasoning: 0 },
  finish: "stop",
  choices: 1,
  showsUsage: true,
} as const;
const whole = JSON.stringify(fakeWires.openai.whole(answer, mark));
const wholeMessage = JSON.stringify(fakeWires.anthropic.whole(answer, mark));

/** A bare answer whose head does not fit its body; the connection ends after it. */
function framed(headers: string, bytes: string): Behaviour {
  return raw((socket) => {
    socket.end(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${headers}\r\n\r\n${bytes}`);
  });
}

type Bad = { readonly behaviour: Behaviour; readonly codes: readonly string[] };
const unreadable = ["upstream_invalid_response"];
const broken = ["upstream_error", ...unreadable];
const badBodies: Readonly<Record<string, Bad>> = {
  "invalid JSON": { behaviour: body(`{"choices":[}${foreign}`), codes: unreadable },
  "truncated JSON": { behaviour: body(whole.slice(0, -20)), codes: unreadable },
  "truncated JSON of Anthropic's": { behaviour: body(wholeMessage.slice(0, -20)), codes: unreadable },
  HTML: { behaviour: body(`<html>${foreign}`, { "content-type": "text/html" }), codes: unreadable },
  "nothing at all": { behaviour: body(""), codes: unreadable },
  null: { behaviour: body("null"), codes: unreadable },
  "an array": { behaviour: body(`["${foreign}"]`), codes: unreadable },
  "a string": { behaviour: body(`"${foreign}"`), codes: unreadable },
  "an object of something else": { behaviour: body(`{"hello":"${foreign}"}`), codes: unreadable },
  "an error object with status 200": { behaviour: body(`{"error":{"message":"${foreign}"}}`), codes: broken },
  "a status 500 with much HTML": {
    behaviour: status(500, { "content-type": "text/html" }, foreign),
    codes: broken,
  },
  "a Content-Length that is too long": {
    behaviour: framed(`content-length: ${whole.length + 9}`, whole),
    codes: broken,
  },
  "a Content-Length that is too short": {
    behaviour: framed(`content-length: ${whole.length - 9}`, whole),
    codes: broken,
  },
  "a Content-Length that is no number": { behaviour: framed("content-length: 1x", whole), codes: broken },
  "two Content-Lengths": {
    behaviour: framed(`content-length: 5\r\ncontent-length: 6`, whole),
    codes: broken,
  },
  "a chunk size that is none": {
    behaviour: framed("transfer-encoding: chunked", `ZZ\r\n${whole}\r\n0\r\n\r\n`),
    codes: broken,
  },
  "chunks without an end": {
    behaviour: framed("transfer-encoding: chunked", `${whole.length.toString(16)}\r\n${whole}\r\n`),
    codes: broken,
  },
  "bytes that are not HTTP": { behaviour: raw((socket) => void socket.end(foreign)), codes: broken },
  "a NUL in a string": { behaviour: body(whole.replace(mark, "a\u0000b")), codes: unreadable },
  "a redirect": { behaviour: status(302, { location: "http://127.0.0.1:9/elsewhere" }), codes: broken },
};

for (const [name, { behaviour, codes }] of Object.entries(badBodies)) {
  test(`U-07 ${name} is a 502 at no charge in our own words, and another provider is asked first`, async () => {
    for (const isStream of [false, true]) {
      for (const model of ["m-chat", "m-claude"]) {
        p1.script(model, behaviour);
        const seen = await ask(model, isStream);
        assert.equal(seen.status, 502, `${model}: ${seen.text.slice(0, 300)}`);
        assert.ok(codes.includes(seen.code ?? ""), seen.code);
        assert.doesNotMatch(seen.text, /FOREIGN|127\.0\.0\.1|HPE|UND_|JSON at|Unexpected/);
        const receipt = await receiptOf(gateway, customer.key, seen.requestId);
        assert.deepEqual(
          [receipt.credits, receipt.ending, receipt.reason],
          ["0.000000", "failed", seen.code],
        );
      }
      p1.script("m-two", behaviour);
      p2.script("m-two", ok({ tokens: 2 }));
      const seen = await ask("m-two", isStream);
      assert.deepEqual([seen.status, seen.content], [200, "tok tok "]);
    }
  });
}

/** Frames as text or bytes, between a proper opening and a proper closing. */
function between(...middle: readonly (string | Buffer)[]): Behaviour {
  const wire = fakeWires.openai;
  const parts = [wire.opening(answer), wire.token(answer, 0, "tok "), ...middle, wire.closing(answer)];
  return sse(Buffer.concat(parts.map((part) => Buffer.from(part))));
}

for (const [name, bytes] of [
  ["invalid JSON", `data: {"choices":[}\n\n`],
  ["HTML", `data: <html>${mark}</html>\n\n`],
  ["an array", `data: [1,2]\n\n`],
  ["a NUL in a string", `data: {"choices":[{"index":0,"delta":{"content":"a\u0000b"}}]}\n\n`],
] as const) {
  test(`U-07 ${name} in the middle of a stream ends it with an error event at no charge`, async () => {
    p1.script("m-chat", between(bytes));
    const seen = await ask("m-chat", true);
    assert.deepEqual([seen.status, seen.content, seen.code], [200, "tok ", "upstream_invalid_response"]);
    assert.doesNotMatch(seen.text, /FOREIGN|DONE/);
    const receipt = await receiptOf(gateway, customer.key, seen.requestId);
    assert.deepEqual([receipt.credits, receipt.ending], ["0.000000", "failed"]);
  });
}

test("U-07 lone surrogates as escapes are passed on, whole and streamed", async () => {
  const lone = String.raw`a\ud800b\udc00`;
  p1.script("m-chat", body(whole.replace(mark, lone)));
  assert.equal((await ask("m-chat", false)).content, "a\ud800b\udc00");
  p1.script("m-chat", between(`data: {"choices":[{"index":0,"delta":{"content":"${lone}"}}]}\n\n`));
  const seen = await ask("m-chat", true);
  assert.deepEqual([seen.content, seen.code], ["tok a\ud800b\udc00", undefined]);
});

test("U-07 bytes that are not UTF-8 never reach a client as such", async () => {
  // A surrogate and an overlong slash in bytes, as no encoder may write them, and a byte that never occurs.
  for (const bad of [[0xed, 0xa0, 0x80], [0xc0, 0xaf], [0xff]]) {
    const [head = "", tail = ""] = whole.split(mark);
    p1.script("m-chat", body(Buffer.concat([Buffer.from(head), Buffer.from(bad), Buffer.from(tail)])));
    const plain = await ask("m-chat", false);
    assert.equal(plain.content, new TextDecoder().decode(Buffer.from(bad)));
    const frame = Buffer.from(fakeWires.openai.token(answer, 0, mark))
      .toString("latin1")
      .split(mark);
    const token = Buffer.from(frame.join(String.fromCharCode(...bad)), "latin1");
    // The reader's decoder refuses bytes that are not UTF-8.
    p1.script("m-chat", between(token, fakeWires.openai.token(answer, 0, "é"), token));
    const lost = new TextDecoder().decode(Buffer.from(bad));
    assert.equal((await ask("m-chat", true)).content, `tok ${lost}é${lost}`);
  }
});

test("U-07 a good answer under a wrong content type is still an answer", async () => {
  p1.script("m-chat", body(whole, { "content-type": "text/html" }));
  assert.deepEqual([(await ask("m-chat", false)).content], [mark]);
  p1.script("m-chat", ok({ tokens: 2, headers: { "content-type": "application/octet-stream" } }));
  assert.equal((await ask("m-chat", true)).content, "tok tok ");
});

const encodings: readonly Compression[] = ["gzip", "br", "zstd", "deflate", "deflate-raw"];
for (const encoding of encodings) {
  test(`U-08 ${encoding}, which nobody asked for, is undone: whole, and streamed as it is flushed`, async () => {
    for (const model of ["m-chat", "m-claude"]) {
      p1.script(model, compressed(encoding, { tokens: 5, text: "tök " }));
      const seen = await ask(model, false);
      assert.deepEqual([seen.status, seen.content], [200, "tök ".repeat(5)]);
      p1.script(model, compressed(encoding, { tokens: 6, everyMs: 60, text: "tök " }));
      const streamed = await stream(gateway, customer.key, { model });
      assert.deepEqual([streamed.content, streamed.dones, streamed.error], ["tök ".repeat(6), 1, undefined]);
      assert.equal(streamed.headers.get("content-encoding"), null);
      const sentAt = p1.calls(model).at(-1)?.tokenTimes ?? [];
      const cameAt = streamed.frameTimes.filter(
        (_, index) => streamed.frames[index].choices[0]?.delta.content === "tök ",
      );
      const lags = cameAt.map((at, index) => at - (sentAt[index] ?? 0)).toSorted((a, b) => a - b);
      // Of every token; while other files of tests run, of half of them.
      const lag = lags.at(isWholePlan ? -1 : 3) ?? Infinity;
      assert.equal(lags.length, 6);
      assert.ok(lag <= 100, `${lag} ms after it was sent`);
    }
  });

  test(`U-08 ${encoding} that ends too early is a clean 502, and an error event in a stream`, async () => {
    p1.script("m-chat", compressed(encoding, { tokens: 5, truncated: true }));
    const plain = await ask("m-chat", false);
    // The bytes that are missing may have carried no text: then nothing is lost.
    if (plain.status === 200) assert.equal(plain.content, "tok ".repeat(5));
    else assert.deepEqual([plain.status, plain.code], [502, "upstream_invalid_response"]);
    p1.script("m-chat", cutShort(encoding));
    const streamed = await ask("m-chat", true);
    assert.deepEqual([streamed.status, streamed.code], [200, "upstream_invalid_response"]);
    assert.match(streamed.content, /^(tok ){4,5}$/);
  });
}

/** Some tokens and then the end of the body, but neither a finish nor the end of the compression. */
function cutShort(encoding: Compression): Behaviour {
  const whileStreaming = compressed(encoding, { tokens: 6, everyMs: 20 });
  return async (call) => {
    const end = setInterval(() => {
      if (call.record.tokens < 5) return;
      clearInterval(end);
      call.response.end();
    }, 1);
    await whileStreaming(call);
    clearInterval(end);
  };
}

for (const [name, label] of [
  ["another encoding", "br"],
  ["an unknown one", "snappy"],
  ["two at once", "gzip, br"],
  ["none", "identity"],
] as const) {
  test(`U-08 gzip under the name of ${name} is a clean 502`, async () => {
    for (const isStream of [false, true]) {
      p1.script("m-chat", compressed("gzip", { tokens: 5, label }));
      const seen = await ask("m-chat", isStream);
      assert.deepEqual([seen.status, seen.code], [502, "upstream_invalid_response"]);
    }
  });
}

/** Headers that speak to whoever is connected, that a browser obeys, or that tell of the provider. */
const foreignHeaders = {
  "set-cookie": "session=1",
  location: "http://elsewhere.example/",
  "keep-alive": "timeout=1",
  "proxy-authenticate": "Basic",
  "www-authenticate": "Basic",
  upgrade: "h2c",
  trailer: "x-late",
  "strict-transport-security": "max-age=1",
  "openai-organization": "org-foreign",
  "retry-after": "999",
};

test("U-10 no header of a provider reaches a client, be it an answer, a stream or a refusal", async () => {
  for (const model of ["m-chat", "m-claude"]) {
    for (const behaviour of [ok({ tokens: 2, headers: foreignHeaders }), status(404, foreignHeaders)]) {
      for (const isStream of [false, true]) {
        p1.script(model, behaviour);
        const response = await gateway.chat(customer.key, { ...hello, model, stream: isStream });
        assert.doesNotMatch(await response.text(), /FOREIGN|foreign|elsewhere/);
        for (const [name, value] of Object.entries(foreignHeaders))
          assert.notEqual(response.headers.get(name), value, name);
      }
    }
  }
});

test("U-10 a redirect to another host is not followed, least of all with the credential", async () => {
  for (const code of [301, 302, 307, 308]) {
    const known = p2.log.length;
    p1.script("m-chat", status(code, { location: `${p2.baseUrl}/chat/completions` }));
    for (const isStream of [false, true]) assert.equal((await ask("m-chat", isStream)).status, 502);
    assert.equal(p2.log.length, known);
  }
});

const oddHeads: readonly (readonly [name: string, head: string, status: number])[] = [
  ["100 KB of headers", `x-large: ${"x".repeat(100_000)}\r\ncontent-length: ${whole.length}`, 502],
  ["a bare carriage return in a header", `x-a: b\rset-cookie: c\r\ncontent-length: ${whole.length}`, 502],
  ["a Content-Length beside chunks", `transfer-encoding: chunked\r\ncontent-length: ${whole.length}`, 502],
  ["a folded header", `x-a: b\r\n set-cookie: c\r\ncontent-length: ${whole.length}`, 502],
];
for (const [name, head, code] of oddHeads) {
  test(`U-10 ${name} is a clean ${code}`, async () => {
    p1.script("m-chat", framed(head, whole));
    for (const isStream of [false, true]) {
      const seen = await ask("m-chat", isStream);
      assert.equal(seen.status, code, seen.text.slice(0, 300));
      assert.doesNotMatch(seen.text, /FOREIGN|HPE|UND_/);
    }
  });
}

test("U-10 thousands of answers ahead of the answer change nothing", async () => {
  for (const ahead of ["100 Continue", "103 Early Hints\r\nlink: </x>"]) {
    p1.script(
      "m-chat",
      raw((socket) => {
        socket.write(`HTTP/1.1 ${ahead}\r\n\r\n`.repeat(2_000));
        const head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
        socket.end(`${head}content-length: ${whole.length}\r\n\r\n${whole}`);
      }),
    );
    const seen = await ask("m-chat", false);
    assert.ok([200, 502].includes(seen.status), seen.text);
    if (seen.status === 200) assert.equal(seen.content, mark);
  }
});

test("U-12 an answer under another model's name shows the model that was asked for, and costs what that costs", async () => {
  for (const model of ["m-chat", "m-claude"]) {
    p1.script(model, ok({ tokens: 3, answersAs: "somebody-elses-model" }));
    for (const isStream of [false, true]) {
      const response = await gateway.chat(customer.key, { ...hello, model, stream: isStream });
      const text = await response.text();
      assert.equal(response.status, 200);
      assert.doesNotMatch(text, /somebody/);
      const names = Array.from(text.matchAll(/"model":"([^"]*)"/g), ([, told]) => told);
      assert.ok(names.length > 0 && names.every((told) => told === model), names.join());
      const receipt = await receiptOf(gateway, customer.key, response.headers.get("x-request-id"));
      assert.deepEqual([receipt.model, receipt.credits], [model, "0.000280"]);
    }
  }
});
