import assert from "node:assert/strict";
import type { Scene } from "./call-exits.ts";
import { hello, startChat } from "./chat-exchange.ts";
import type { Behaviour } from "./fake-behaviours.ts";

const tokenEveryMs = 20;

/** Streams of a fake provider that go on, token after token, until the test ends them: properly, oldest first. */
export class FlowingStreams {
  readonly #running = new Set<{ isTold: boolean }>();

  readonly behaviour: Behaviour = async (call) => {
    const stream = { isTold: false };
    this.#running.add(stream);
    const answer = (completion: number) => ({
      model: call.record.model,
      usage: { prompt: 100, cached: 0, completion, reasoning: 0 },
      finish: "stop" as const,
      choices: 1,
      showsUsage: true,
    });
    call.startStream();
    await call.write(call.wire.opening(answer(0)));
    while (!stream.isTold && !call.gone) {
      await call.writeToken(call.wire.token(answer(0), 0, "tok "));
      await call.pause(tokenEveryMs);
    }
    this.#running.delete(stream);
    await call.write(call.wire.closing(answer(call.record.tokens)));
    await call.end();
  };

  get running(): number {
    return this.#running.size;
  }

  endOne(): void {
    for (const stream of this.#running) {
      if (stream.isTold) continue;
      stream.isTold = true;
      return;
    }
  }

  endAll(): void {
    for (const stream of this.#running) stream.isTold = true;
  }
}

export type Flow = { readonly end: () => Promise<void> };

/** Streams that are all let in and have begun; `end` resolves when each was delivered to its end mark. */
export async function startFlow({ gateway, upstream, key, model }: Scene, count: number): Promise<Flow> {
  const streams = new FlowingStreams();
  upstream.script(model, streams.behaviour);
  const body = { model, messages: hello, stream: true };
  const exchanges = Array.from({ length: count }, () => startChat({ url: gateway.url, key, body }));
  await Promise.all(exchanges.map((exchange) => exchange.answered));
  for (const exchange of exchanges) assert.equal(exchange.status, 200);
  return {
    async end() {
      streams.endAll();
      await Promise.all(exchanges.map((exchange) => exchange.over));
      for (const exchange of exchanges) assert.ok(exchange.isComplete);
    },
  };
}
