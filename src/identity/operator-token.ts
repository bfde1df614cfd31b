import { createHmac, randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Mode } from "../core/caller.ts";
import { secretOf } from "./keys.ts";
import { secretIn } from "./secret-file.ts";

/** The token and where the operator finds it: the name of a variable, or a file's path. */
export type OperatorToken = { readonly token: string; readonly place: string };

/**
 * `SKILLBOSS_OPERATOR_TOKEN`, or what is in `<data directory>/operator-token` (256 random bits, mode 0600), made at the
 * first start. Nodes that share a database need the same one to take the same operator.
 */
export function operatorTokenIn(dataDirectory: string, given: string | undefined): OperatorToken {
  if (given !== undefined) return { token: given, place: "SKILLBOSS_OPERATOR_TOKEN" };
  const path = join(dataDirectory, "operator-token");
  return { token: secretIn(path, () => `op-${randomBytes(32).toString("base64url")}`), place: path };
}

/**
 * The owner's first keys follow from the operator token, so that every start can print them although no key is ever
 * stored: whoever can read the token could make keys anyway.
 */
export function starterSecret(operatorToken: string, mode: Mode): string {
  return secretOf(mode, createHmac("sha256", operatorToken).update(`starter key, ${mode}`).digest());
}
