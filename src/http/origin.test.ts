import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { test } from "node:test";
import { originOf } from "./origin.ts";

function originFor(remoteAddress: string, headers: IncomingMessage["headers"]): string {
  const socket = { remoteAddress } as IncomingMessage["socket"];
  return originOf({ headers: { host: "api.example.com", ...headers }, socket });
}

test("addresses are https where a proxy on this machine or a private network says so", () => {
  for (const peer of ["127.0.0.1", "::1", "::ffff:10.1.2.3", "172.20.0.1", "192.168.1.9", "fd00::1"])
    assert.equal(originFor(peer, { "x-forwarded-proto": "https" }), "https://api.example.com", peer);
  assert.equal(originFor("10.0.0.1", { "x-forwarded-proto": "https, http" }), "https://api.example.com");
  assert.equal(
    originFor("10.0.0.1", { forwarded: 'for=192.0.2.1;proto=https;by=203.0.113.43, proto="http"' }),
    "https://api.example.com",
  );
});

test("addresses are http where nobody nearby says otherwise", () => {
  assert.equal(originFor("127.0.0.1", {}), "http://api.example.com");
  assert.equal(originFor("127.0.0.1", { "x-forwarded-proto": "http" }), "http://api.example.com");
  assert.equal(originFor("127.0.0.1", { "x-forwarded-proto": "javascript" }), "http://api.example.com");
  for (const peer of ["203.0.113.9", "2001:db8::1", "172.32.0.1"])
    assert.equal(originFor(peer, { "x-forwarded-proto": "https" }), "http://api.example.com", peer);
});
