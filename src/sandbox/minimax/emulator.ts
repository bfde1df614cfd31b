import type { Emulator } from "../emulator.ts";
import { bearer } from "../worn-credential.ts";
import { refuseAsMinimax } from "./errors.ts";
import { hailuoRoutes } from "./hailuo.ts";
import { speak } from "./speech.ts";
import { refuseAsMinimaxVideo, videoRoutes } from "./video.ts";

/** MiniMax, https://api.minimax.io. */
export const minimax: Emulator = {
  credentials: [bearer],
  routes: [{ method: "POST", path: "/v1/t2a_v2", answer: speak }, ...hailuoRoutes, ...videoRoutes],
  refuse: (refusal, request) =>
    request.path.startsWith("/v2/")
      ? refuseAsMinimaxVideo(refusal, request)
      : refuseAsMinimax(refusal, request),
  headers: (request) => ({ "trace-id": request.seed.slice(0, 32) }),
  usageNames: ["usage_characters", "usage"],
};
