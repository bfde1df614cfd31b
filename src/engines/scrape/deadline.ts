import { Problem } from "../../core/problems.ts";

/** Runs the work with a signal that also ends when time is up; its reason then is a `Problem` that says so. */
export async function withDeadline<T>(
  {
    signal,
    timeoutMs,
    param,
  }: { readonly signal: AbortSignal; readonly timeoutMs: number; readonly param: string },
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const ending = new AbortController();
  const message = `The page could not be read within ${timeoutMs / 1000} seconds.`;
  const timer = setTimeout(
    () => ending.abort(new Problem("upstream_timeout", { message, param })),
    timeoutMs,
  );
  try {
    return await run(AbortSignal.any([signal, ending.signal]));
  } finally {
    clearTimeout(timer);
  }
}
