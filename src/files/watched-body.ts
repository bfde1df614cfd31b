/** A body that remembers the error it broke off with, so that its fault can be told from that of whoever took it. */
export type WatchedBody = AsyncIterable<Buffer> & { readonly fault: () => unknown };

export function watchedBody(body: AsyncIterable<Buffer>): WatchedBody {
  let fault: unknown;
  return {
    fault: () => fault,
    async *[Symbol.asyncIterator]() {
      try {
        yield* body;
      } catch (error) {
        fault = error;
        throw error;
      }
    },
  };
}
