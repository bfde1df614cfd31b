import type { Behaviour } from "./fake-behaviours.ts";

/** Streams a token every few milliseconds until it is told that this is enough, then ends as usual. 100 prompt tokens. */
export function streamUntil(isEnough: () => boolean, text = "tok "): Behaviour {
  return async (call) => {
    const usage = { prompt: 100, cached: 0, completion: 0, reasoning: 0 };
    const answer = { model: call.record.model, usage, finish: "stop", choices: 1, showsUsage: true } as const;
    call.startStream();
    await call.write(call.wire.opening(answer));
    while (!call.gone && !isEnough()) {
      await call.pause(10);
      await call.writeToken(call.wire.token(answer, 0, text));
    }
    const told = { ...usage, completion: call.record.tokens };
    await call.write(call.wire.closing({ ...answer, usage: told }));
    await call.end();
  };
}
