/** A thread that asks `/health` again and again, one request at a time, until it is told that it is enough. */
import { Agent, get } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";

const port = Number(workerData);
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const times: number[] = [];
let isEnough = false;
parentPort?.once("message", () => (isEnough = true));

function healthy(): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = get({ host: "127.0.0.1", port, path: "/health", agent }, (response) => {
      response.resume();
      response.on("end", () => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`/health answered ${response.statusCode}`));
      });
    });
    request.on("error", reject);
    request.setTimeout(20_000, () => request.destroy(new Error("/health did not answer")));
  });
}

await healthy();
parentPort?.postMessage("watching");
while (!isEnough) {
  const startedAt = performance.now();
  await healthy();
  times.push(performance.now() - startedAt);
  await pause(2);
}
agent.destroy();
parentPort?.postMessage(times);
