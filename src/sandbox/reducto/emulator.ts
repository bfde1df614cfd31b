import type { Emulator } from "../emulator.ts";
import { bearer } from "../worn-credential.ts";
import { refuseAsReducto } from "./errors.ts";
import { cancelJob, extract, extractAsync, getJob, parse, parseAsync } from "./jobs.ts";
import { sendResult } from "./parse-result.ts";
import { upload } from "./source.ts";

/** Reducto, https://platform.reducto.ai. */
export const reducto: Emulator = {
  credentials: [bearer],
  routes: [
    { method: "POST", path: "/parse", answer: parse },
    { method: "POST", path: "/parse_async", answer: parseAsync },
    { method: "POST", path: "/extract", answer: extract },
    { method: "POST", path: "/extract_async", answer: extractAsync },
    { method: "GET", path: "/job/{id}", answer: getJob },
    { method: "POST", path: "/cancel/{id}", answer: cancelJob },
    { method: "POST", path: "/upload", answer: upload },
    { method: "GET", path: "/results/{id}", isOpen: true, answer: sendResult },
  ],
  refuse: refuseAsReducto,
  usageNames: ["usage", "num_pages", "total_pages"],
};
