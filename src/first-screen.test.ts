import assert from "node:assert/strict";
import { test } from "node:test";
import { curlLine } from "./first-screen.ts";

test("the call on the first screen goes to an address that can be called, in whichever shell it is pasted", () => {
  const addressIn = (url: string): string => / (\S+) -H /.exec(curlLine(url, "sk-test-x"))?.[1] ?? "";
  const path = "/v1/chat/completions";
  assert.equal(addressIn("http://127.0.0.1:8787"), `http://127.0.0.1:8787${path}`);
  assert.equal(addressIn("http://0.0.0.0:8787"), `http://127.0.0.1:8787${path}`);
  assert.equal(addressIn("http://[::]:8787"), `'http://[::1]:8787${path}'`);
});
