import type { Emulator } from "../emulator.ts";
import { refuseAsFal } from "./errors.ts";
import { cancel, result, runAtOnce, status, submit } from "./queue.ts";

const credentials = [{ kind: "header", name: "authorization", prefix: "Key " }] as const;
const usageNames = ["x-fal-billable-units"];

/** The queue of fal, https://queue.fal.run. */
export const fal: Emulator = {
  credentials,
  routes: [
    { method: "GET", path: "/{app...}/requests/{id}/status", answer: status },
    { method: "PUT", path: "/{app...}/requests/{id}/cancel", answer: cancel },
    { method: "GET", path: "/{app...}/requests/{id}", answer: result },
    { method: "POST", path: "/{app...}", answer: submit },
  ],
  refuse: refuseAsFal,
  usageNames,
};

/** The host of fal that answers when the work is done, https://fal.run. */
export const falSynchronous: Emulator = {
  credentials,
  routes: [{ method: "POST", path: "/{app...}", answer: runAtOnce }],
  refuse: refuseAsFal,
  usageNames,
};
