import assert from "node:assert/strict";
import { test } from "node:test";
import { shapeOutput } from "./shape-output.ts";

const image = "https://example.com/a.png";

test("a page's pictures stand in the way of nothing that the scraper gave", () => {
  const page = { markdown: "# Hello", html: "<h1>Hello</h1>", images: [image] };
  assert.deepEqual(shapeOutput("scraper", page), {
    ...page,
    data: { markdown: page.markdown, html: page.html },
  });
  const own = { data: { title: "Hello" }, images: [{ url: image }] };
  assert.deepEqual(shapeOutput("scraper", own), own);
  const pictures = { images: [image] };
  assert.deepEqual(shapeOutput("scraper", pictures), pictures);
});

test("pictures that were made are told wherever clients look for them", () => {
  const output = { images: [{ url: image }] };
  const told = { image_url: image, data: [{ url: image }], generated_images: [image] };
  assert.deepEqual(shapeOutput("image", output), { ...told, ...output });
});
