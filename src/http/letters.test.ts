import assert from "node:assert/strict";
import { test } from "node:test";
import { Problem } from "../core/problems.ts";
import { jointMessageOf, letter, messagesOf } from "./letters.ts";

const personal = {
  title: "Hi {{ name }}, order {{order}}",
  body_html: "<p>{{name}} <{{email}}></p> {{not here}}",
  body_text: "Dear {{name}}",
  receivers: [
    { email: "ada@example.com", variables: { name: "Ada <b>&</b>\nBcc: eve@example.com", order: 7 } },
    { email: "bob@example.com", variables: { name: 'Bob "$&"', order: 8 } },
  ],
};

test("each receiver gets the letter with what stands for them, which is never markup nor a second header", () => {
  const [ada, bob] = messagesOf(letter.parse(personal));
  assert.deepEqual(ada, {
    to: ["ada@example.com"],
    subject: "Hi Ada <b>&</b> Bcc: eve@example.com, order 7",
    html: "<p>Ada &lt;b&gt;&amp;&lt;/b&gt;\nBcc: eve@example.com <ada@example.com></p> {{not here}}",
    text: "Dear Ada <b>&</b>\nBcc: eve@example.com",
    replyTo: undefined,
    from: undefined,
  });
  assert.equal(bob?.subject, 'Hi Bob "$&", order 8');
  assert.equal(bob?.html, "<p>Bob &quot;$&amp;&quot; <bob@example.com></p> {{not here}}");
  assert.equal(jointMessageOf(letter.parse(personal)), undefined);
});

test("without variables braces are text, and one message goes to all", () => {
  const given = letter.parse({
    subject: "{{name}}",
    html: "<p>{{name}}</p>",
    to: ["ada@example.com", { email: "bob@example.com" }],
    reply_to: "us@example.com",
  });
  assert.deepEqual(jointMessageOf(given), {
    to: ["ada@example.com", "bob@example.com"],
    subject: "{{name}}",
    html: "<p>{{name}}</p>",
    text: undefined,
    replyTo: ["us@example.com"],
    from: undefined,
  });
  assert.equal(messagesOf(given).length, 2);
});

test("what is missing is named before anybody gets anything", () => {
  const faults = [
    [{ ...personal, receivers: [{ email: "a@example.com", variables: { name: "A" } }] }, /\{\{order\}\}/],
    [{ ...personal, title: undefined }, /title: is required/],
    [{ title: "x", receivers: ["a@example.com"] }, /body_html: is required/],
    [{ title: "x", body_html: "x" }, /receivers: is required/],
    [
      {
        ...personal,
        title: "{{constructor}}",
        receivers: [{ email: "a@example.com", variables: { name: "A" } }],
      },
      /\{\{constructor\}\}/,
    ],
  ] as const;
  for (const [given, message] of faults)
    assert.throws(
      () => messagesOf(letter.parse(given)),
      (error) => error instanceof Problem && error.status === 400 && message.test(error.message),
    );
  assert.equal(
    letter.safeParse({ ...personal, receivers: ["a@example.com\r\nBcc: b@example.com"] }).success,
    false,
  );
  assert.equal(letter.safeParse({ ...personal, receivers: ["nobody"] }).success, false);
});
