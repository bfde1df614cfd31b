/** Inputs that a provider wants as bytes may be named by an address: we read what lies there. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { pixelBytes } from "./support/address-inputs.ts";
import { endsClean } from "./support/clean-end.ts";
import { startSite } from "./support/egress-sites.ts";
import type { Site } from "./support/egress-sites.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";
import { openHost, startOpenWeb } from "./support/open-web.ts";
import type { OpenWeb } from "./support/open-web.ts";
import { payingCustomer } from "./support/paying-customer.ts";
import type { PayingCustomer } from "./support/paying-customer.ts";

let web: OpenWeb;
let google: Site;
let gateway: Gateway;
let customer: PayingCustomer;

before(async () => {
  web = await startOpenWeb();
  google = await startSite((_, response) => void response.writeHead(400).end("{}"));
  gateway = await startGateway({
    environment: {
      GEMINI_API_KEY: "secret",
      GOOGLE_BASE_URL: google.origin,
      OPENAI_API_KEY: "secret",
      OPENAI_BASE_URL: google.origin,
      SKILLBOSS_EGRESS_ALLOW: `${openHost}:${web.site.port}`,
    },
  });
  customer = await payingCustomer(gateway, { mode: "live" });
});
after(async () => {
  await endsClean(gateway);
  await Promise.all([web.stop(), google.stop()]);
});

const pixel = { bytesBase64Encoded: pixelBytes().toString("base64"), mimeType: "image/png" };

/** What the provider was sent last. */
function sent(): string {
  return google.visits.at(-1)?.body ?? "";
}

test("addresses of frames and references are sent to Veo as what lies there, by every name that clients use", async () => {
  const url = `${web.site.origin}/pixel`;
  const prompt = "A wave";
  for (const name of ["image", "image_url"]) {
    await customer.run("google/veo-3.1", { prompt, [name]: url, last_frame: url });
    const [instance] = JSON.parse(sent()).instances;
    assert.deepEqual(instance, { prompt, image: pixel, lastFrame: pixel });
  }
  for (const name of ["reference_images", "image_urls", "images"]) {
    await customer.run("google/veo-3.1-fast", {
      prompt,
      [name]: [url, `data:image/png;base64,${pixel.bytesBase64Encoded}`],
    });
    const [instance] = JSON.parse(sent()).instances;
    const reference = { image: pixel, referenceType: "asset" };
    assert.deepEqual(instance, { prompt, referenceImages: [reference, reference] });
  }
  await customer.run("gpt-image-edit", { prompt, image_url: url });
  assert.match(sent(), /name="image\[\]"[^]*Content-Type: image\/png/i);
  assert.equal(await customer.spent(), 0);
});

test("what is no picture, or cannot be had, is refused naming the input, and the provider is not asked", async () => {
  const visits = google.visits.length;
  const refusedFor = async (inputs: object) => {
    const { status, body } = await customer.run("google/veo-3.1", { prompt: "A wave", ...inputs });
    return [status, body.error.code, body.error.param];
  };
  const text = `${web.site.origin}/text`;
  assert.deepEqual(await refusedFor({ image: text }), [400, "invalid_request", "inputs.image"]);
  const lost = `${web.site.origin}/nothing`;
  const references = [`${web.site.origin}/pixel`, lost];
  assert.deepEqual(await refusedFor({ reference_images: references }), [
    400,
    "invalid_request",
    "inputs.reference_images[1]",
  ]);
  const inner = { image: "http://127.0.0.1/" };
  assert.deepEqual(await refusedFor(inner), [400, "url_not_allowed", "inputs.image"]);
  assert.equal(google.visits.length, visits);
  assert.equal(await customer.spent(), 0);
});

test("a test call reads no foreign address, but our own files, and judges all of them", async () => {
  const tester = await payingCustomer(gateway);
  const visits = web.site.visits.length;
  const run = (image: string) => tester.run("google/veo-3.1", { prompt: "A wave", duration: 4, image });
  const { status, body } = await run(`${web.site.origin}/pixel`);
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(web.site.visits.length, visits);
  const upload = async (type: string, bytes: string | Uint8Array<ArrayBuffer>) => {
    const response = await fetch(`${gateway.url}/v1/files`, {
      method: "POST",
      headers: { authorization: `Bearer ${tester.key}`, "content-type": type },
      body: bytes,
    });
    return JSON.parse(await response.text()).url;
  };
  assert.equal((await run(await upload("image/png", new Uint8Array(pixelBytes())))).status, 200);
  const note = await run(await upload("text/plain", "a note"));
  assert.deepEqual([note.status, note.body.error.param], [400, "inputs.image"]);
  assert.equal((await run("http://10.0.0.1/a.png")).body.error.code, "url_not_allowed");
});
