import { fingerprintOf } from "../answers/random.ts";
import { answeredOnce } from "../idempotent-answers.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";

const reused = {
  status: 400,
  message:
    "Keys for idempotent requests can only be used with the same parameters they were first used with.",
  code: "idempotency_key_reused",
};

/** A new object with an id, or the one that was made under this key before; a header tells which. */
export function createdOnce(request: RunRequest, prefix: string, make: (id: string) => unknown): RunAnswer {
  const { answer, isReplay } = answeredOnce(request, reused, (seed) =>
    json(make(prefix + fingerprintOf(seed).slice(0, 24))),
  );
  const key = request.header("idempotency-key");
  return {
    ...answer,
    headers: {
      ...(key === "" ? {} : { "idempotency-key": key }),
      ...(isReplay ? { "idempotent-replayed": "true" } : {}),
    },
  };
}
