import { endsClean } from "./clean-end.ts";
import type { Gateway } from "./gateway.ts";

type Used = { readonly stop: () => Promise<unknown> };

/** As `endsClean`, also when the gateway never started: what else was started must not keep the test process alive. */
export async function endsInAnyCase(
  gateway: Gateway | undefined,
  ...used: readonly (Used | undefined)[]
): Promise<void> {
  const there = used.filter((one) => one !== undefined);
  if (gateway !== undefined) await endsClean(gateway, ...there);
  else await Promise.all(there.map((one) => one.stop()));
}
