/**
 * An emulator is data: how a provider's clients show who they are, what can be asked of it, and how it says no. The frame
 * does the rest. To add one:
 *
 * 1. Make a folder `src/sandbox/<provider id>/` with an `emulator.ts` that exports an `Emulator`, and add a line to
 *    `emulators.ts`. It is then served under `/<provider id>/…`, with the provider's own paths behind that.
 * 2. Write a route per thing that can be asked: `{ method: "POST", path: "/v2/scrape", answer: scrape }`. `{id}` in a path
 *    is one part of it, `{app...}` is one or more; `request.in("id")` reads it. The first route that fits is taken.
 * 3. Read the request with `request.json()`, `.form()` (brackets), `.fields()` and `.files()` (multipart), `.query`,
 *    `.header()`. Check it with `checkFields(body, rules, status)`, which refuses with `param` and `code`.
 * 4. Answer with `json(…)`, `bytes(…)`, `parts(…)` or `nothing()` of `run-answer.ts`.
 * 5. Say no by throwing a `Refusal`. `refuse` turns every refusal into the provider's own form, those of the frame too: 404
 *    for an unknown address, 401 with the code `no_credential` or `bad_credential`, 400 `bad_json`, 413, and any status
 *    that a test ordered. It may answer with another status, as some providers say 403 for a wrong key.
 * 6. Work that takes time is a job: `const job = request.begin({ width, height })`, give `job.id` away; in the route that
 *    tells how it stands, `request.polled(id)`. Undefined is the provider's "no such job". What the result needs is in
 *    `job.facts`, its randomness in `job.seed`; nothing is kept, so that a sandbox that starts anew still answers. A
 *    provider that answers only when the work is done waits with `request.finished(job)`. Webhooks are never called.
 * 7. Files: `request.fileUrlOf(job, { kind: "png", seed: job.seed, width, height }, lifetimeMs)` is an address under
 *    `/<provider id>/files/…`, which the frame serves (`fileUrl` where there is no job); `bytesOf(file)` is a body.
 * 8. What looks real comes from `web/` (pages, hits, prose), `speech/` (lengths, transcripts), `hosting/` (hosts of many
 *    models), `media/asked-size.ts`, `answers/schema-filler.ts` (any JSON Schema) and `validation-detail.ts` (the list in
 *    many a 422). Everything follows from `request.seed`, so that equal requests have equal answers.
 * 9. Name in `usageNames` the members and headers that say what is charged: `[sandbox:fault-nousage]` leaves them out.
 * 10. Drive the provider's own SDK against it in a test beside it: every method that matters, its polls, one refusal.
 *
 * What a test can order of any emulator (faults, delays, how jobs end) is in `directives.ts`; no emulator has to do anything
 * for it.
 */
import type { Headers } from "./exchange.ts";
import type { Refusal } from "./refusal.ts";
import type { RunAnswer } from "./run-answer.ts";
import type { RunRequest } from "./run-request.ts";
import type { CredentialForm } from "./worn-credential.ts";

export type Emulator = {
  /** Any of them is good; none at all means that nobody has to show anything. */
  readonly credentials: readonly CredentialForm[];
  readonly routes: readonly Route[];
  /** A refusal in the provider's own form. The request may not have been read: its body is empty then. */
  readonly refuse: (refusal: Refusal, request: RunRequest) => RunAnswer;
  /** Headers that every answer wears, refusals as well. */
  readonly headers?: (request: RunRequest) => Headers;
  /** Members of bodies, however deep, and headers that say what is charged. */
  readonly usageNames?: readonly string[];
  /** Whether what no route fits is asked of the OpenAI wire, which serves chats under the same id. */
  readonly speaksChat?: true;
};

export type Route = {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  /** Whether it is open to everybody, such as the address of a file. */
  readonly isOpen?: true;
  readonly answer: (request: RunRequest) => RunAnswer | Promise<RunAnswer>;
};
