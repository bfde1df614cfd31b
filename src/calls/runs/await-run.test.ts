import assert from "node:assert/strict";
import { test } from "node:test";
import { DatabaseUnavailable } from "../../storage/database.ts";
import { openCalls } from "../open-calls.ts";
import { awaitRun } from "./await-run.ts";
import type { RunRow } from "./run-store.ts";

const row = { id: "run_1", state: "submitting" } as RunRow;
const noLongerHere = { row, over: Promise.resolve() };
const onGone = (): void => undefined;

/** Tells one after the other, and then always the last. */
function storeThatTells(...told: (RunRow["state"] | "away" | "busy")[]) {
  return {
    read(): Promise<RunRow> {
      const state = told.length > 1 ? told.shift() : told[0];
      if (state === undefined || state === "away")
        return Promise.reject(new DatabaseUnavailable(new Error("gone")));
      // It answers, but not this time: it has no memory left, or took too long.
      if (state === "busy") return Promise.reject(Object.assign(new Error("canceled"), { code: "57014" }));
      return Promise.resolve({ ...row, state });
    },
  };
}

async function turned<Answer>(
  { tick }: { readonly tick: (ms: number) => void },
  answer: Promise<Answer>,
): Promise<Answer> {
  let isThere = false;
  const settled = answer.finally(() => (isThere = true));
  for (let turns = 0; turns < 50 && !isThere; turns += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    tick(500);
  }
  return settled;
}

test("a run that another node took, or whose end a database that is away hides, is waited for all the same", async ({
  mock,
}) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const store = storeThatTells("waiting", "away", "settling", "busy", "over");
  const answer = awaitRun(noLongerHere, { store, openCalls: openCalls() }, { ms: 60_000, onGone });
  assert.equal((await turned({ tick: (ms) => mock.timers.tick(ms) }, answer)).state, "over");
});

test("when the time is up a run is a job, also while nobody knows how it stands", async ({ mock }) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const calls = openCalls();
  const answer = awaitRun(
    noLongerHere,
    { store: storeThatTells("away"), openCalls: calls },
    { ms: 2_000, onGone },
  );
  assert.equal(await turned({ tick: (ms) => mock.timers.tick(ms) }, answer), row);
  assert.equal(calls.count, 0);
});

test("a shutdown ends the wait for a run that goes on elsewhere", async () => {
  const calls = openCalls();
  const store = storeThatTells("waiting");
  const answer = awaitRun(noLongerHere, { store, openCalls: calls }, { ms: 60_000, onGone });
  calls.cutAll();
  assert.equal((await answer).state, "waiting");
});
