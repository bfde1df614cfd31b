import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContentPart } from "../../core/chat.ts";
import type { Capabilities } from "../../core/model.ts";
import { openaiChat } from "./chat.ts";
import { plainTarget } from "./told-answers.test-support.ts";

function refusalOf(part: ContentPart, able: Partial<Capabilities>): string | undefined {
  const content = [{ type: "text", text: "Sum up." }, part] as const;
  const target = { ...plainTarget, capabilities: { ...plainTarget.capabilities, ...able } };
  const refusal = openaiChat.refusalOf({ model: "m", messages: [{ role: "user", content }] }, target);
  return refusal === undefined ? undefined : `${refusal.code} ${refusal.param} ${refusal.message}`;
}

const fileOf = (data: string): ContentPart => ({ type: "file", file: { file_data: data } });
const imageOf = (url: string): ContentPart => ({ type: "image_url", image_url: { url } });
const pdf = Buffer.from("%PDF-1.4\n%%EOF").toString("base64");

test("a model that reads no documents is sent none, in whatever part: others would be paid to read them", () => {
  for (const part of [
    fileOf(`data:application/pdf;base64,${pdf}`),
    fileOf(`DATA:Application/PDF;base64,${pdf}`),
    fileOf(`data:application/octet-stream;base64,${pdf}`),
    fileOf(pdf),
    imageOf(`data:application/pdf;base64,${pdf}`),
  ]) {
    assert.equal(
      refusalOf(part, { pdf: false }),
      "invalid_request messages[0].content[1] messages[0].content[1]: this model does not take files of this type",
    );
    assert.equal(refusalOf(part, { pdf: true }), undefined);
  }
});

test("files of text and images go to models that read no documents", () => {
  for (const part of [
    fileOf(`data:text/csv;base64,${pdf}`),
    imageOf(`data:image/png;base64,${pdf}`),
    imageOf("https://example.com/a.pdf"),
  ])
    assert.equal(refusalOf(part, { pdf: false }), undefined);
});

test("a file behind an address goes only where it is fetched and read: elsewhere another offer is asked", () => {
  const refused = (url: string, fetchesFiles: boolean, pdf: boolean): string | null | undefined => {
    const messages = [{ role: "user", content: [fileOf(url)] }] as const;
    const { quirks, capabilities } = plainTarget;
    const able = { quirks: { ...quirks, fetchesFiles }, capabilities: { ...capabilities, pdf } };
    return openaiChat.refusalOf({ model: "m", messages }, { ...plainTarget, ...able })?.param;
  };
  for (const url of ["https://example.com/a.pdf", "HTTP://example.com/a.pdf"]) {
    assert.equal(refused(url, false, true), "messages[0].content[0].file.file_data");
    assert.equal(refused(url, true, false), "messages[0].content[0]");
    assert.equal(refused(url, true, true), undefined);
  }
});

test("sound is refused where it costs more than the price says, in whatever part, and a film has sound", () => {
  for (const part of [
    { type: "input_audio", input_audio: { data: "AAAA", format: "wav" } } as const,
    fileOf("data:audio/mpeg;base64,AAAA"),
    imageOf("data:video/mp4;base64,AAAA"),
  ]) {
    assert.match(refusalOf(part, { audio: false, pdf: true }) ?? "", /this model does not take sound/);
    assert.equal(refusalOf(part, { audio: true, pdf: false }), undefined);
  }
});
