import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Problem } from "../core/problems.ts";
import type { ProblemCode } from "../core/problems.ts";
import { workerPool } from "./worker-pool.ts";
import type { WorkerCode, WorkerPool, WorkerPoolSettings, WorkerTask } from "./worker-pool.ts";
import type { work } from "./worker-pool.test-work.ts";

/** Far more than any of these takes on a busy machine. */
const longMs = 60_000;
const never = new AbortController().signal;

const code: WorkerCode<typeof work> = { url: new URL("./worker-pool.test-work.ts", import.meta.url) };
type Order = Parameters<typeof work>[0];

let shared: WorkerPool;

before(() => {
  shared = workerPool({ workers: 1, timeoutMs: longMs });
});
after(() => shared.stop());

function taskOf(input: Order, rest: Partial<WorkerTask<Order>> = {}): WorkerTask<Order> {
  return { input, signal: never, ...rest };
}

async function withPool(
  settings: WorkerPoolSettings,
  body: (pool: WorkerPool) => Promise<void>,
): Promise<void> {
  const pool = workerPool({ timeoutMs: longMs, ...settings });
  try {
    await body(pool);
  } finally {
    await pool.stop();
  }
}

/** A refusal with this code, and with its words where they are promised. */
function problem(wanted: ProblemCode, words?: RegExp, param: string | null = null) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof Problem, String(error));
    assert.equal(error.code, wanted);
    assert.equal(error.param, param);
    if (words !== undefined) assert.match(error.message, words);
    return true;
  };
}

test("work is done in another process, bytes and all", async () => {
  const output = await shared.run(
    code,
    taskOf({ kind: "echo", value: { bytes: new Uint8Array([1, 2, 3]) } }),
  );
  assert.deepEqual(output, { bytes: new Uint8Array([1, 2, 3]) });
  const id = await shared.run(code, taskOf({ kind: "worker" }));
  assert.ok(typeof id === "number" && id !== process.pid);
});

test("one worker serves task after task", async () => {
  const ids = [];
  for (let round = 0; round < 3; round++) ids.push(await shared.run(code, taskOf({ kind: "worker" })));
  assert.equal(new Set(ids).size, 1);
});

test("a problem of the work arrives as that problem", async () => {
  await assert.rejects(
    shared.run(code, taskOf({ kind: "problem" })),
    problem("invalid_request", /^Not like this\.$/, "inputs.x"),
  );
});

test("a bug of the work arrives as an error with its words, and the next task works", async () => {
  await assert.rejects(shared.run(code, taskOf({ kind: "bug" })), (error: unknown) => {
    assert.ok(error instanceof TypeError === false && error instanceof Error);
    assert.equal(error.message, "a bug of ours");
    return true;
  });
  assert.equal(await shared.run(code, taskOf({ kind: "echo", value: 1 })), 1);
});

test("endless recursion is an input nested too deeply", async () => {
  await assert.rejects(
    shared.run(code, taskOf({ kind: "recurse" }, { param: "document_url" })),
    problem("invalid_request", /nested too deeply/, "document_url"),
  );
});

test("work that loops is ended in time, and the next task works", async () => {
  await withPool({ workers: 1 }, async (pool) => {
    const looping = pool.run(code, taskOf({ kind: "loop" }, { timeoutMs: 300, param: "url" }));
    const next = pool.run(code, taskOf({ kind: "echo", value: "next" }));
    await assert.rejects(looping, problem("invalid_request", /more than 0\.3 seconds/, "url"));
    assert.equal(await next, "next");
  });
});

test("work that fills its heap is ended, and the next task works", async () => {
  await withPool({ workers: 1, maxHeapMb: 48 }, async (pool) => {
    await assert.rejects(
      pool.run(code, taskOf({ kind: "fill-heap" }, { param: "document_url" })),
      problem("invalid_request", /more memory/, "document_url"),
    );
    assert.equal(await pool.run(code, taskOf({ kind: "echo", value: "next" })), "next");
  });
});

test("work that fills memory beside its heap is ended too", async () => {
  await withPool({ workers: 1, maxMemoryMb: 160 }, async (pool) => {
    await assert.rejects(
      pool.run(code, taskOf({ kind: "fill-buffers" })),
      problem("invalid_request", /more memory/),
    );
    assert.equal(await pool.run(code, taskOf({ kind: "echo", value: "next" })), "next");
  });
});

test("work that fills a single array is ended too, which no thread would survive", async () => {
  await withPool({ workers: 1, maxHeapMb: 64 }, async (pool) => {
    await assert.rejects(
      pool.run(code, taskOf({ kind: "fill-array" })),
      problem("invalid_request", /more memory/),
    );
    assert.equal(await pool.run(code, taskOf({ kind: "echo", value: "next" })), "next");
  });
});

test("a worker that exits or crashes fails its task only", async () => {
  await withPool({ workers: 1 }, async (pool) => {
    for (const kind of ["exit", "crash"] as const) {
      const dying = pool.run(code, taskOf({ kind }));
      const next = pool.run(code, taskOf({ kind: "echo", value: "next" }));
      await assert.rejects(dying, problem("internal_error"), kind);
      assert.equal(await next, "next");
    }
  });
});

test("what is no plain data cannot be an output", async () => {
  await assert.rejects(shared.run(code, taskOf({ kind: "unsendable" })), /could not be cloned/);
  assert.equal(await shared.run(code, taskOf({ kind: "echo", value: 1 })), 1);
});

test("a busy worker does not outlive the process that it works for", async () => {
  const path = fileURLToPath(new URL("./worker-pool.test-process.ts", import.meta.url));
  const parent = spawn(process.execPath, [path], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const [told]: readonly unknown[] = await once(parent.stdout, "data");
    const worker = Number(String(told));
    assert.ok(isAlive(worker));
    parent.kill("SIGKILL");
    for (let tries = 0; isAlive(worker) && tries < 600; tries++) await moment(50);
    assert.equal(isAlive(worker), false);
  } finally {
    parent.kill("SIGKILL");
  }
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // What died and was not collected yet still has its number.
    return process.platform !== "linux" || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

function moment(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

test("a promise that a library left behind rejected does not touch the tasks", async () => {
  await shared.run(code, taskOf({ kind: "stray-rejection" }));
  assert.equal(await shared.run(code, taskOf({ kind: "echo", value: "next" })), "next");
});

test("a canceled task ends whether it runs or waits, and its reason is thrown", async () => {
  await withPool({ workers: 1 }, async (pool) => {
    const cancel = new AbortController();
    const running = pool.run(code, taskOf({ kind: "loop" }, { signal: cancel.signal }));
    const waiting = pool.run(code, taskOf({ kind: "loop" }, { signal: cancel.signal }));
    const next = pool.run(code, taskOf({ kind: "echo", value: "next" }));
    const reason = new Error("the customer left");
    cancel.abort(reason);
    await assert.rejects(running, reason);
    await assert.rejects(waiting, reason);
    await assert.rejects(pool.run(code, taskOf({ kind: "loop" }, { signal: cancel.signal })), reason);
    assert.equal(await next, "next");
  });
});

test("no more tasks run at once than there are workers, and none is lost", async () => {
  await withPool({ workers: 2 }, async (pool) => {
    const tasks = Array.from({ length: 12 }, () => pool.run(code, taskOf({ kind: "times" })));
    const times = (await Promise.all(tasks)) as readonly (readonly [begin: number, end: number])[];
    const atOnce = times.map(([begin]) => times.filter(([from, to]) => from <= begin && begin < to).length);
    assert.equal(atOnce.length, 12);
    assert.ok(Math.max(...atOnce) <= 2, atOnce.join());
  });
});

test("beyond the queue a task is refused with a time to come back", async () => {
  await withPool({ workers: 1, maxWaiting: 2 }, async (pool) => {
    const cancel = new AbortController();
    const taken = [1, 2, 3].map(() => pool.run(code, taskOf({ kind: "loop" }, { signal: cancel.signal })));
    const settled = Promise.allSettled(taken);
    await assert.rejects(pool.run(code, taskOf({ kind: "worker" })), (error: unknown) => {
      assert.ok(error instanceof Problem && error.code === "service_unavailable");
      assert.ok((error.retryAfterSeconds ?? 0) > 0);
      return true;
    });
    cancel.abort(new Error("enough"));
    assert.deepEqual(
      (await settled).map(({ status }) => status),
      ["rejected", "rejected", "rejected"],
    );
    assert.equal(await pool.run(code, taskOf({ kind: "echo", value: "free again" })), "free again");
  });
});

test("a worker sees nothing of the environment", async () => {
  assert.deepEqual(await shared.run(code, taskOf({ kind: "environment" })), []);
});

test("workers without work end, and come back with the next task", async () => {
  await withPool({ workers: 1, idleMs: 20 }, async (pool) => {
    const first = await pool.run(code, taskOf({ kind: "worker" }));
    let id = first;
    // The worker's end is seen in that another one answers.
    for (let tries = 0; id === first && tries < 100; tries++) {
      await moment(50);
      id = await pool.run(code, taskOf({ kind: "worker" }));
    }
    assert.notEqual(id, first);
  });
});

test("a stopped pool ends its tasks and takes no more", async () => {
  const pool = workerPool({ workers: 1, timeoutMs: longMs });
  const running = pool.run(code, taskOf({ kind: "loop" }));
  const waiting = pool.run(code, taskOf({ kind: "loop" }));
  const settled = Promise.allSettled([running, waiting]);
  await pool.stop();
  await settled;
  await assert.rejects(running, problem("shutting_down"));
  await assert.rejects(waiting, problem("shutting_down"));
  await assert.rejects(pool.run(code, taskOf({ kind: "worker" })), problem("shutting_down"));
});
