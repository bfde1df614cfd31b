import type { Emulator } from "../emulator.ts";
import { bearer } from "../worn-credential.ts";
import { refuseAsDeepgram } from "./errors.ts";
import { listen } from "./listen.ts";
import { requestIdOf } from "./request-id.ts";
import { speak } from "./speak.ts";

/** Deepgram, https://api.deepgram.com. Tokens that are made for a client are worn as Bearer. */
export const deepgram: Emulator = {
  credentials: [{ kind: "header", name: "authorization", prefix: "Token " }, bearer],
  routes: [
    { method: "POST", path: "/v1/listen", answer: listen },
    { method: "POST", path: "/v1/speak", answer: speak },
  ],
  refuse: refuseAsDeepgram,
  headers: (request) => ({ "dg-request-id": requestIdOf(request) }),
  usageNames: ["duration", "dg-char-count", "x-dg-characters"],
};
