import type { Refusal } from "./refusal.ts";

/** Where one request is served: found by its address before anything of it is read. */
export type Counter = {
  /** Throws the refusal that needs no body: an unknown address, a missing credential. */
  check(): void;
  serve(body: Buffer): Promise<void>;
  refuse(refusal: Refusal): Promise<void>;
};
