import type { ServerResponse } from "node:http";
import type { Counter } from "./counter.ts";
import { obey } from "./delivery.ts";
import type { Emulator } from "./emulator.ts";
import { Refusal } from "./refusal.ts";
import { deliverRun } from "./run-delivery.ts";
import { RunRequest } from "./run-request.ts";
import type { Arrival } from "./run-request.ts";
import { routeTo } from "./run-routes.ts";
import type { FoundRoute } from "./run-routes.ts";
import { checkCredential } from "./worn-credential.ts";

type Asked = Omit<Arrival, "body" | "named">;

/** Undefined when no route fits and the emulator leaves other addresses to the chats. */
export function runCounter(emulator: Emulator, asked: Asked, response: ServerResponse): Counter | undefined {
  const found = routeTo(emulator, asked.method, asked.path);
  if (found === undefined && emulator.speaksChat === true) return undefined;
  const arrival = { ...asked, named: found?.named ?? {} };
  let request: RunRequest | undefined;
  const requestWith = (body: Buffer): RunRequest => (request ??= new RunRequest({ ...arrival, body }));
  return {
    check: () => check(emulator, asked, found),
    async serve(body) {
      if (found === undefined) return;
      const read = requestWith(body);
      await obey(read.orders, read);
      const answer = await found.route.answer(read);
      const headers = { ...emulator.headers?.(read), ...answer.headers };
      await deliverRun({ ...answer, headers }, { request: read, response, emulator });
    },
    async refuse(refusal) {
      const read = requestWith(Buffer.alloc(0));
      const answer = emulator.refuse(overloadAs503(refusal), read);
      const headers = { ...emulator.headers?.(read), ...answer.headers };
      await deliverRun({ ...answer, headers }, { request: read, response, emulator, isRefusal: true });
    },
  };
}

function check(emulator: Emulator, asked: Asked, found: FoundRoute | undefined): void {
  if (found === undefined) throw new Refusal(404, `There is no ${asked.method} ${asked.path} here.`);
  if (found.route.isOpen !== true) checkCredential(emulator.credentials, asked);
}

/** 529 is Anthropic's alone. */
function overloadAs503(refusal: Refusal): Refusal {
  return refusal.status === 529 ? new Refusal(503, refusal.message) : refusal;
}
