import assert from "node:assert/strict";
import { test } from "node:test";
import type { Door } from "./door.ts";
import { nearAddressOf } from "./near-address.ts";

const near = nearAddressOf([
  door("GET", "/v1/models"),
  door("POST", "/v1/models"),
  door("GET", "/v1/v1/models"),
  door("GET", "/v1/models/{id...}"),
  door("POST", "/v1/chat/completions"),
  door("POST", "/v1/embeddings"),
  door("GET", "/v1/run/{id}/news/{token}", "open"),
  door("GET", "/admin/v1/accounts", "operator"),
  door("GET", "/v1/secrets", "operator"),
]);

function door(method: Door["method"], path: string, access: Door["access"] = "caller"): Door {
  return { method, path, access, summary: "", answers: "", answer: () => ({ status: 200 }) };
}

test("a base URL with too little, too much or a slash at the end leads to the address that was meant", () => {
  for (const path of [
    "/chat/completions",
    "/v1/chat/completions/",
    "/v1/v1/chat/completions",
    "/api/v1/chat/completions",
    "//v1//chat/completions",
    "/v1/chat/completion",
    "/v1/responses",
    "/v1/messages",
    "/completions",
  ])
    assert.equal(near("POST", path), "POST /v1/chat/completions", path);
  assert.equal(near("GET", "/v1/models/"), "GET /v1/models");
  assert.equal(near("POST", "/models"), "POST /v1/models");
  assert.equal(near("GET", "/models/openai/gpt-4o"), "GET /v1/models/{id...}");
  assert.equal(near("GET", "/v1/embedding"), "POST /v1/embeddings");
});

test("a path that is like none of ours leads nowhere, nor does one to doors of the operator's or of nobody's", () => {
  for (const path of [
    "",
    "/",
    "/v1",
    "/wp-login.php",
    "/v1/accounts",
    "/admin/v1/accounts/",
    "/v1/secret",
    "/v1/run/a/news/b/",
    "/%ff",
    "*",
  ])
    assert.equal(near("GET", path), undefined, path);
});

test("however long and odd a path is, looking for what was meant takes no time to speak of", () => {
  const began = performance.now();
  for (const path of ["/".repeat(16_000) + "x", "/v1".repeat(5_000), "/a".repeat(8_000)]) near("GET", path);
  assert.ok(performance.now() - began < 100);
});
