import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { JsonObject } from "../../core/json-object.ts";
import { Problem } from "../../core/problems.ts";
import type { Engine, EngineResult } from "../engine.ts";
import { emailEngine } from "./email-engine.ts";
import type { EmailSettings } from "./email-engine.ts";
import { startMailServer, startScriptedServer } from "./mail-servers.test-support.ts";
import type { MailServer, Script, ScriptedServer } from "./mail-servers.test-support.ts";

const hello: JsonObject = {
  to: ["jane@example.com", "joe@example.com"],
  subject: "Hello",
  text: "Good morning",
};

function engineAt(smtpUrl: string, tls: EmailSettings["tls"] = "required"): Engine {
  return emailEngine({ smtpUrl, from: "hello@house.example", allowedFromDomains: [], tls });
}

function run(engine: Engine, inputs: JsonObject = {}, signal?: AbortSignal): Promise<EngineResult> {
  return engine.run({
    inputs: { ...hello, ...inputs },
    signal: signal ?? new AbortController().signal,
    fetchFile: () => Promise.reject(new Error("nothing is to be fetched here")),
  });
}

async function scripted(
  t: TestContext,
  script: Script,
): Promise<ScriptedServer & { readonly engine: Engine }> {
  const server = await startScriptedServer(script);
  t.after(() => server.stop());
  return { ...server, engine: engineAt(`smtp://127.0.0.1:${server.port}`) };
}

async function whole(t: TestContext, options: Parameters<typeof startMailServer>[0]): Promise<MailServer> {
  const server = await startMailServer(options);
  t.after(() => server.stop());
  return server;
}

type Told = { readonly code: string; readonly status: number; readonly outcome: unknown };

async function failureOf(sending: Promise<EngineResult>): Promise<Told & { readonly problem: Problem }> {
  try {
    await sending;
  } catch (error) {
    assert.ok(error instanceof Problem, String(error));
    return { code: error.code, status: error.status, outcome: error.extra["outcome"], problem: error };
  }
  throw new assert.AssertionError({ message: "the run did not fail" });
}

const hangUp = (socket: Socket) => void socket.destroy();
const sayAndHangUp = (words: string) => (socket: Socket) => void socket.end(words);

test("a connection that is lost after the message was sent leaves the outcome unknown, and nothing is sent again", async (t) => {
  const endings: Readonly<Record<string, (socket: Socket) => void>> = {
    "it is reset": (socket) => void socket.resetAndDestroy(),
    "it is closed": hangUp,
    "it is closed within an answer": sayAndHangUp("25"),
    "it is closed within a refusal": sayAndHangUp("550 refu"),
    "the answer means nothing": (socket) => void socket.write("999 what\r\n"),
    "the answer is no answer to this": (socket) => void socket.write("354 go on\r\n"),
  };
  for (const [name, ending] of Object.entries(endings)) {
    for (const extensions of [[], ["PIPELINING", "8BITMIME"]]) {
      const server = await scripted(t, { answers: { ".": ending }, extensions });
      const { code, status, outcome } = await failureOf(run(server.engine));
      assert.deepEqual([code, status, outcome], ["outcome_unknown", 502, "unknown"], name);
      assert.equal(server.heard.filter((line) => line === ".").length, 1, name);
      assert.equal(server.heard.filter((line) => line.startsWith("EHLO")).length, 1, name);
    }
  }
});

test("a refusal after the message was sent is definite: it was not taken", async (t) => {
  for (const [answer, wanted] of [
    ["554 5.7.1 spam", "upstream_rejected_request"],
    ["552 too large", "upstream_rejected_request"],
    ["451 try later", "upstream_unavailable"],
    ["421 going down", "upstream_unavailable"],
  ] as const) {
    const server = await scripted(t, { answers: { ".": answer } });
    const { code, outcome, problem } = await failureOf(run(server.engine));
    assert.deepEqual([code, outcome], [wanted, "not_sent"], answer);
    assert.ok(!problem.message.includes("spam") && problem.message.endsWith("Nothing was sent."));
  }
});

test("whatever breaks before the message was sent is definite: nothing was sent", async (t) => {
  const scripts: readonly (readonly [string, Script, string])[] = [
    ["closed at once", { greeting: hangUp }, "upstream_unavailable"],
    ["turned away", { greeting: "554 no service" }, "upstream_unavailable"],
    ["busy", { greeting: "421 too many" }, "upstream_unavailable"],
    ["no mail server", { greeting: "HTTP/1.1 400 Bad Request" }, "upstream_unavailable"],
    ["closed at EHLO", { answers: { EHLO: hangUp, HELO: hangUp } }, "upstream_unavailable"],
    ["closed at MAIL", { answers: { MAIL: hangUp } }, "upstream_unavailable"],
    ["sender refused", { answers: { MAIL: "550 not you" } }, "upstream_error"],
    ["sender put off", { answers: { MAIL: "450 not now" } }, "upstream_unavailable"],
    ["closed at RCPT", { answers: { RCPT: hangUp } }, "upstream_unavailable"],
    ["nobody taken", { answers: { RCPT: "550 no such user" } }, "upstream_rejected_request"],
    ["everybody put off", { answers: { RCPT: "450 greylisted" } }, "upstream_unavailable"],
    ["closed at DATA", { answers: { DATA: hangUp } }, "upstream_unavailable"],
    ["DATA refused", { answers: { DATA: "554 no" } }, "upstream_rejected_request"],
    ["said too small", { extensions: ["SIZE 100"] }, "request_too_large"],
  ];
  for (const [name, script, wanted] of scripts) {
    for (const pipelining of [[], ["PIPELINING"]]) {
      const extensions = [...(script.extensions ?? []), ...pipelining];
      const server = await scripted(t, { ...script, extensions });
      const { code, outcome, problem } = await failureOf(run(server.engine));
      assert.deepEqual([code, outcome], [wanted, "not_sent"], `${name} ${pipelining.join()}`);
      assert.ok(!/no such user|greylisted|not you/.test(problem.message), problem.message);
      assert.ok(!server.heard.includes("."), name);
    }
  }
});

test("a message that breaks off in its middle was not sent", async (t) => {
  const breaking = await scripted(t, {
    answers: {
      DATA: (socket) => {
        socket.write("354 go on\r\n");
        socket.once("data", () => socket.destroy());
      },
    },
  });
  const content = Buffer.alloc(9_000_000, "x").toString("base64");
  const sending = run(breaking.engine, { attachments: [{ filename: "large", content }] });
  const { code, outcome } = await failureOf(sending);
  assert.deepEqual([code, outcome], ["upstream_unavailable", "not_sent"]);
});

test("a server that is not there is a definite failure", async () => {
  const gone = await startScriptedServer({});
  await gone.stop();
  const { code, outcome, problem } = await failureOf(run(engineAt(`smtp://127.0.0.1:${gone.port}`)));
  assert.deepEqual([code, outcome], ["upstream_unavailable", "not_sent"]);
  assert.ok(problem.cause instanceof Error && !problem.message.includes("127.0.0.1"));
});

test("a server that falls silent is given up: before the message nothing was sent, after it nobody knows", async (t) => {
  for (const [word, wanted] of [
    ["EHLO", ["upstream_timeout", "not_sent"]],
    ["RCPT", ["upstream_timeout", "not_sent"]],
    [".", ["outcome_unknown", "unknown"]],
  ] as const) {
    const { port } = await scripted(t, { answers: { [word]: () => undefined } });
    const engine = emailEngine({
      smtpUrl: `smtp://127.0.0.1:${port}`,
      from: "hello@house.example",
      allowedFromDomains: [],
      tls: "required",
      idleTimeoutMs: 300,
    });
    const { code, outcome } = await failureOf(run(engine));
    assert.deepEqual([code, outcome], wanted, word);
  }
});

test("an answer that comes before the message is no success", async (t) => {
  const server = await scripted(t, { answers: { DATA: "354 go on\r\n250 taken" } });
  const content = Buffer.alloc(9_000_000, "x").toString("base64");
  const { code, outcome } = await failureOf(
    run(server.engine, { attachments: [{ filename: "large", content }] }),
  );
  assert.deepEqual([code, outcome], ["upstream_unavailable", "not_sent"]);
});

test("recipients that the server refuses are told apart, and only the others are paid for", async (t) => {
  const server = await whole(t, {
    onRcptTo({ address }, _, done) {
      done(address.startsWith("joe") ? new Error("no such user") : null);
    },
  });
  const result = await run(engineAt(`smtp://127.0.0.1:${server.port}`), { bcc: "third@example.com" });
  assert.deepEqual(result.output["accepted"], ["jane@example.com", "third@example.com"]);
  assert.deepEqual(result.output["rejected"], ["joe@example.com"]);
  assert.deepEqual(result.usage, { emails: 2 });
  assert.deepEqual(server.received[0]?.recipients, ["jane@example.com", "third@example.com"]);
  const refused = await failureOf(
    run(engineAt(`smtp://127.0.0.1:${server.port}`), { to: "joe@example.com" }),
  );
  assert.deepEqual(refused.problem.extra, { outcome: "not_sent", rejected: ["joe@example.com"] });
  assert.deepEqual([refused.code, refused.problem.param], ["upstream_rejected_request", "to"]);
});

test("the relay's login is used; a wrong one is our fault, not the customer's, and tells nothing of it", async (t) => {
  const server = await whole(t, {
    authOptional: false,
    allowInsecureAuth: true,
    onAuth({ username, password }, _, done) {
      if (username === "user@house" && password === "p@ss:/word") done(null, { user: username });
      else done(new Error("wrong"));
    },
  });
  await run(engineAt(`smtp://user%40house:p%40ss%3A%2Fword@127.0.0.1:${server.port}`));
  assert.equal(server.received[0]?.user, "user@house");
  const wrong = await failureOf(run(engineAt(`smtp://user%40house:secret@127.0.0.1:${server.port}`)));
  assert.deepEqual([wrong.code, wrong.status, wrong.outcome], ["upstream_unavailable", 503, "not_sent"]);
  assert.ok(!wrong.problem.message.includes("secret") && !wrong.problem.message.includes("house"));
  const without = await failureOf(run(engineAt(`smtp://127.0.0.1:${server.port}`)));
  assert.equal(without.outcome, "not_sent");
  assert.equal(server.received.length, 1);
});

test("STARTTLS and TLS with a certificate that nobody vouches for are refused unless the operator says otherwise", async (t) => {
  const upgrading = await whole(t, { disabledCommands: [] });
  const secure = await whole(t, { secure: true });
  for (const [server, scheme] of [
    [upgrading, "smtp"],
    [secure, "smtps"],
  ] as const) {
    const url = `${scheme}://user:pass@127.0.0.1:${server.port}`;
    for (const tls of ["required", "when_offered"] as const) {
      const { status, outcome } = await failureOf(run(engineAt(url, tls)));
      assert.deepEqual([status, outcome], [503, "not_sent"], `${scheme} ${tls}`);
    }
    assert.equal(server.received.length, 0);
    await run(engineAt(`${scheme}://127.0.0.1:${server.port}`, "unverified"));
    assert.deepEqual(
      server.received.map((letter) => letter.isSecure),
      [true],
    );
  }
});

test("nothing goes over an open connection to another machine unless the operator says so", async (t) => {
  const heard = await scripted(t, {});
  // An address that is not known to be this machine, although it leads to it.
  const url = `smtp://user:pass@0.0.0.0:${heard.port}`;
  for (const tls of ["required", "unverified"] as const) {
    const { outcome } = await failureOf(run(engineAt(url, tls)));
    assert.equal(outcome, "not_sent");
  }
  assert.ok(!heard.heard.some((line) => /^(?:AUTH|MAIL)/.test(line)), heard.heard.join());
  await run(engineAt(url, "when_offered"));
  assert.ok(heard.heard.includes("."));
});

test("a run that is called off before the message is sent sends nothing", async (t) => {
  const controller = new AbortController();
  const reason = new Problem("shutting_down");
  const server = await scripted(t, { answers: { RCPT: () => controller.abort(reason) } });
  await assert.rejects(run(server.engine, {}, controller.signal), reason);
  assert.ok(!server.heard.includes("DATA"));
});

test("a run that is called off after the message was sent still hears the answer", async (t) => {
  const controller = new AbortController();
  const server = await scripted(t, {
    answers: {
      ".": (socket) => {
        controller.abort(new Problem("shutting_down"));
        setImmediate(() => socket.write("250 taken\r\n"));
      },
    },
  });
  const result = await run(server.engine, {}, controller.signal);
  assert.deepEqual(result.usage, { emails: 2 });
});

test("when the server stops, what was not sent is not sent, and the answer to what was sent is awaited", async (t) => {
  const stopped: Promise<void>[] = [];
  const waiting = await scripted(t, {
    answers: { RCPT: () => void stopped.push(waiting.engine.stop?.() ?? Promise.resolve()) },
  });
  const { code } = await failureOf(run(waiting.engine));
  assert.equal(code, "shutting_down");
  const sent = await scripted(t, {
    answers: {
      ".": (socket) => {
        stopped.push(sent.engine.stop?.() ?? Promise.resolve());
        setImmediate(() => socket.write("250 taken\r\n"));
      },
    },
  });
  assert.deepEqual((await run(sent.engine)).usage, { emails: 2 });
  await Promise.all(stopped);
  assert.equal((await failureOf(run(sent.engine))).code, "shutting_down");
});
