import type { Endpoint } from "../../core/endpoint.ts";
import { compileFetches } from "./compile-fetches.ts";
import type { CompiledFetch } from "./compile-fetches.ts";
import { compileMeters } from "./compile-meters.ts";
import { compilePolling } from "./compile-polling.ts";
import type { CompiledEndpoint, Keeps } from "./compiled-endpoint.ts";
import { DeclaredRun } from "./declared-run.ts";
import { compileRequest } from "./encode-request.ts";
import { compileExpression } from "./expression.ts";
import { isNothing, merged, partsRead, readsPlaces } from "./kept-parts.ts";
import type { Parts } from "./kept-parts.ts";
import type { EndpointFault } from "./place.ts";
import { compileErrors } from "./refusal.ts";
import type { RunWire } from "./run-wire.ts";
import { rootsAfterWork, rootsOf } from "./scopes.ts";
import type { ValuePath } from "./value-path.ts";

/**
 * Compiles an endpoint once, for all its runs. With faults there is no wire: all of them are told, each with the path to
 * what is wrong, such as `request.body.voice.$default[1]`. Members are called as in the catalog's files: `empty_when`.
 */
export function compileEndpoint(
  endpoint: Endpoint,
): { readonly wire: RunWire } | { readonly faults: readonly EndpointFault[] } {
  const faults: EndpointFault[] = [];
  const compiled = compileParts(endpoint, faults);
  return faults.length > 0 ? { faults } : { wire: new DeclaredRun(compiled) };
}

export function endpointFaults(endpoint: Endpoint): readonly EndpointFault[] {
  const compiled = compileEndpoint(endpoint);
  return "faults" in compiled ? compiled.faults : [];
}

function compileParts(endpoint: Endpoint, faults: EndpointFault[]): CompiledEndpoint {
  const hasPolling = endpoint.polling !== undefined;
  const names = endpoint.fetches.map(({ as }) => as);
  const after = rootsAfterWork(hasPolling, names);
  const submission = compileRequest(endpoint.request, endpoint.polling?.webhook, {
    path: "request",
    roots: rootsOf.submission,
    faults,
  });
  const errors = compileErrors(endpoint.errors, { path: "errors", roots: rootsOf.answer, faults });
  const polling = endpoint.polling && compilePolling(endpoint.polling, faults);
  const fetches = compileFetches(endpoint.fetches, hasPolling, faults);
  const output = compileExpression(endpoint.output, { path: "output", roots: after, marks: "files", faults });
  const emptyWhen = compileExpression(endpoint.emptyWhen ?? false, {
    path: "empty_when",
    roots: after,
    faults,
  });
  const meters = compileMeters(endpoint.meters, after, faults);
  const readers = [output, emptyWhen, ...fetches, ...meters.map(({ quantity }) => quantity)];
  const readAfter = readers.flatMap((reader) => reader?.reads ?? []);
  return {
    submission,
    errors,
    polling,
    fetches,
    output: output.evaluate,
    emptyWhen: emptyWhen.evaluate,
    meters,
    keeps: keepsOf({ readWhilePolling: polling?.reads ?? [], readAfter, fetches }),
  };
}

type Readers = {
  readonly readWhilePolling: readonly ValuePath[];
  readonly readAfter: readonly ValuePath[];
  readonly fetches: readonly CompiledFetch[];
};

function keepsOf({ readWhilePolling, readAfter, fetches }: Readers): Keeps {
  return {
    submit: partsRead([...readWhilePolling, ...readAfter], "submit"),
    end: merged(partsRead(readAfter, "res"), partsRead(readAfter, "poll")),
    headers: partsRead(readAfter, "headers"),
    status: !isNothing(partsRead(readAfter, "status")),
    fetched: new Map(fetches.map(({ as, pages }) => [as, fetchedParts(partsRead(readAfter, as), pages)])),
  };
}

/** Items come page by page: which of them stands at a place of the whole list is not known before its end. */
function fetchedParts(parts: Parts, pages: CompiledFetch["pages"]): Parts {
  return pages !== undefined && readsPlaces(parts) ? "all" : parts;
}
