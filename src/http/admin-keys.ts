import { z } from "zod";
import type { Catalog } from "../catalog/catalog.ts";
import { Problem } from "../core/problems.ts";
import type { Accounts } from "../identity/accounts.ts";
import type { Doorkeeper } from "../identity/doorkeeper.ts";
import type { Key, Keys } from "../identity/keys.ts";
import { limitsForm, limitsSchema, shownLimits } from "./admin-accounts.ts";
import { listOf } from "./answer-schemas.ts";
import { withBody } from "./door.ts";
import type { Door } from "./door.ts";
import { storedText } from "./stored-text.ts";

const newKey = z.strictObject({
  name: storedText(200).optional(),
  mode: z.enum(["live", "test"]),
  limits: limitsSchema.optional(),
  models: z.array(storedText(256)).min(1).max(1000).optional(),
});

const keyForm = z.strictObject({
  id: z.string(),
  account_id: z.string(),
  name: z.string().nullable(),
  prefix: z.string().describe("How the secret begins."),
  mode: z.enum(["live", "test"]),
  limits: limitsForm,
  models: z.array(z.string()).nullable().describe("What it may call; null: everything."),
  created_at: z.iso.datetime(),
});

export type KeysHouse = {
  readonly accounts: Accounts;
  readonly keys: Keys;
  readonly doorkeeper: Doorkeeper;
  readonly catalog: Pick<Catalog, "find" | "near">;
};

/** The operator's doors to keys. A secret is in the answer that made it and in no other. */
export function keyDoors({ accounts, keys, doorkeeper, catalog }: KeysHouse): readonly Door[] {
  return [
    {
      method: "POST",
      path: "/admin/v1/accounts/{id}/keys",
      access: "operator",
      summary: "Makes a key for an account, live or test.",
      answers: "The key. `key` is the secret: it is shown this once.",
      answerForm: keyForm.extend({ key: z.string() }),
      ...withBody(newKey, async ({ body, parameters }) => {
        body.models?.forEach((name, index) => refuseUnknown(name, `models[${index}]`, catalog));
        const { key, secret } = await keys.issue({ accountId: parameters["id"] ?? "", ...body });
        return { status: 201, body: { ...shownKey(key), key: secret } };
      }),
    },
    {
      method: "GET",
      path: "/admin/v1/accounts/{id}/keys",
      access: "operator",
      summary: "The keys of an account that are not revoked.",
      answers: "`data`, oldest first, without secrets.",
      answerForm: listOf(keyForm),
      async answer({ parameters }) {
        const account = await accounts.read(parameters["id"] ?? "");
        return { status: 200, body: { object: "list", data: (await keys.list(account.id)).map(shownKey) } };
      },
    },
    {
      method: "DELETE",
      path: "/admin/v1/keys/{id}",
      access: "operator",
      summary: "Revokes a key: at once here, within a second on every node. Running calls end as usual.",
      answers: "Nothing.",
      async answer({ parameters }) {
        await keys.revoke(parameters["id"] ?? "");
        doorkeeper.forget();
        return { status: 204 };
      },
    },
  ];
}

/** A key for a model that is not there would be a key for nothing. */
function refuseUnknown(name: string, param: string, catalog: KeysHouse["catalog"]): void {
  if (catalog.find(name) !== undefined) return;
  const near = catalog.near(name, 3);
  const hint = near.length === 0 ? "" : `; did you mean ${near.join(", ")}?`;
  throw new Problem("invalid_request", { param, message: `${param}: there is no such model${hint}` });
}

function shownKey(key: Key): z.output<typeof keyForm> {
  return {
    id: key.id,
    account_id: key.accountId,
    name: key.name,
    prefix: key.prefix,
    mode: key.mode,
    limits: shownLimits(key.limits),
    models: key.models === null ? null : [...key.models],
    created_at: key.createdAt.toISOString(),
  };
}
