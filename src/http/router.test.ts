import assert from "node:assert/strict";
import { test } from "node:test";
import type { Door } from "./door.ts";
import { routerOf } from "./router.ts";

const doors = [
  door("GET", "/v1/models"),
  door("GET", "/v1/models/{id...}"),
  door("POST", "/v1/accounts"),
  door("GET", "/v1/accounts/{id}"),
  door("PATCH", "/v1/accounts/{id}"),
  door("GET", "/v1/accounts/{id}/keys/{key}"),
  door("GET", "/openapi.json"),
];
const router = routerOf(doors);

function door(method: Door["method"], path: string): Door {
  return { method, path, access: "open", summary: "", answers: "", answer: () => ({ status: 200 }) };
}

function found(method: string, path: string): readonly unknown[] {
  const matched = router.match(method, path);
  return "door" in matched ? [matched.door.path, matched.parameters] : matched.allowed;
}

test("a fixed path is found exactly as it is written", () => {
  assert.deepEqual(found("GET", "/v1/models"), ["/v1/models", {}]);
  for (const path of [
    "/v1/models/",
    "/V1/models",
    "//v1/models",
    "/v1/models;x",
    "/openapixjson",
    "v1/models",
    "",
  ])
    assert.deepEqual(found("GET", path), [], path);
});

test("a parameter is one segment, decoded", () => {
  assert.deepEqual(found("GET", "/v1/accounts/a%20b%2Fc"), ["/v1/accounts/{id}", { id: "a b/c" }]);
  assert.deepEqual(found("GET", "/v1/accounts/a/keys/b"), [
    "/v1/accounts/{id}/keys/{key}",
    { id: "a", key: "b" },
  ]);
  for (const path of ["/v1/accounts/", "/v1/accounts/a/b", "/v1/accounts/a/keys/"])
    assert.deepEqual(found("GET", path), [], path);
});

test("a rest parameter takes the slashes too, but not nothing", () => {
  assert.deepEqual(found("GET", "/v1/models/maker/model-1.5"), [
    "/v1/models/{id...}",
    { id: "maker/model-1.5" },
  ]);
  assert.deepEqual(found("GET", "/v1/models/%2e%2e/x"), ["/v1/models/{id...}", { id: "../x" }]);
});

test("a known path with another method tells which methods it takes", () => {
  assert.deepEqual(found("DELETE", "/v1/accounts/a"), ["GET", "HEAD", "PATCH"]);
  assert.deepEqual(found("GET", "/v1/accounts"), ["POST"]);
  assert.deepEqual(found("get", "/v1/models"), ["GET", "HEAD"]);
});

test("HEAD is answered where GET is, and nowhere else", () => {
  assert.deepEqual(found("HEAD", "/v1/models"), ["/v1/models", {}]);
  assert.deepEqual(found("HEAD", "/v1/models/a/b"), ["/v1/models/{id...}", { id: "a/b" }]);
  assert.deepEqual(found("HEAD", "/v1/accounts"), ["POST"]);
});

test("a path with broken percent-encoding names nothing, with any method", () => {
  for (const path of ["/v1/accounts/%", "/v1/accounts/%zz", "/v1/accounts/%ff", "/v1/models/%c0%af"])
    for (const method of ["GET", "PATCH", "POST"])
      assert.deepEqual(found(method, path), [], `${method} ${path}`);
});

test("a parameter that is named like a part of every object is only a text", () => {
  assert.deepEqual(found("GET", "/v1/accounts/__proto__"), ["/v1/accounts/{id}", { id: "__proto__" }]);
  assert.deepEqual(found("GET", "/constructor"), []);
});
