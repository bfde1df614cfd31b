import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formIn } from "./bracketed-form.ts";
import { partsIn } from "./multipart.ts";
import { Refusal } from "./refusal.ts";

async function encoded(form: FormData) {
  const response = new Response(form);
  const type = response.headers.get("content-type") ?? "";
  return { body: Buffer.from(await response.arrayBuffer()), type };
}

test("multipart bodies give back fields and files as the platform wrote them", async () => {
  const field = fc.record({ name: fc.stringMatching(/^[a-z_[\]]{1,12}$/), bytes: fc.uint8Array() });
  await fc.assert(
    fc.asyncProperty(fc.array(field, { minLength: 1, maxLength: 6 }), async (files) => {
      const form = new FormData();
      for (const { name, bytes } of files) form.append(name, new Blob([new Uint8Array(bytes)]), "a b.bin");
      form.append("note", "Größe\r\n\r\nzwei");
      const { body, type } = await encoded(form);
      const parts = partsIn(body, type);
      assert.deepEqual(
        parts.map(({ name, filename, bytes }) => [name, filename, bytes.toString("hex")]),
        [
          ...files.map(({ name, bytes }) => [name, "a b.bin", Buffer.from(bytes).toString("hex")]),
          ["note", undefined, Buffer.from("Größe\r\n\r\nzwei").toString("hex")],
        ],
      );
    }),
  );
});

test("what is no multipart body is a 400", () => {
  assert.throws(() => partsIn(Buffer.from("x"), "application/json"), Refusal);
  assert.throws(() => partsIn(Buffer.from("x"), "multipart/form-data; boundary=b"), Refusal);
  assert.throws(() => partsIn(Buffer.from("--b\r\n\r\n"), "multipart/form-data; boundary=b"), Refusal);
});

test("brackets in a form are objects and lists", () => {
  assert.deepEqual(
    formIn("mode=payment&items[0][price]=5&items[0][tags][]=a&items[0][tags][]=b&items[1][price]=7"),
    {
      mode: "payment",
      items: [{ price: "5", tags: ["a", "b"] }, { price: "7" }],
    },
  );
  assert.deepEqual(formIn("To=%2B4912&Channel=sms"), { To: "+4912", Channel: "sms" });
  assert.deepEqual(formIn("a]b=1&[c]=2"), { "a]b": "1", "[c]": "2" });
});

test("no name of a form reaches what is not the form's own", () => {
  const read = formIn("__proto__[polluted]=yes&constructor[prototype][polluted]=yes");
  assert.ok(Object.hasOwn(read, "__proto__"));
  assert.equal(Reflect.get({}, "polluted"), undefined);
  assert.throws(() => formIn(`a${"[b]".repeat(20)}=1`), Refusal);
  assert.throws(() => formIn("a=1&".repeat(3_000)), Refusal);
});
