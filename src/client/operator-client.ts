import type { Mode } from "../core/caller.ts";
import type {
  AccountAnswer,
  AccountWish,
  AuditAnswer,
  GrantAnswer,
  KeyAnswer,
  KeyWish,
  ListAnswer,
  NewKeyAnswer,
  TransfersAnswer,
} from "./answers.ts";
import { segment } from "./link.ts";
import type { Link } from "./link.ts";

export type GrantWish = {
  readonly accountId: string;
  /** A decimal string such as "25.00". */
  readonly credits: string;
  readonly mode: Mode;
  readonly reason?: string | undefined;
  /** Asking again with the same one grants nothing more. */
  readonly idempotencyKey?: string | undefined;
};

export type TransfersWish = {
  readonly accountId: string;
  readonly mode?: Mode | undefined;
  /** Lines with a greater sequence only. */
  readonly after?: number | undefined;
  readonly pageSize?: number | undefined;
};

/** What takes the operator token. Accounts and keys are named by their ids. */
export type OperatorClient = {
  readonly accounts: {
    create(wish: AccountWish & { readonly name: string }): Promise<AccountAnswer>;
    list(): Promise<ListAnswer<AccountAnswer>>;
    read(id: string): Promise<AccountAnswer>;
    change(id: string, wish: AccountWish): Promise<AccountAnswer>;
  };
  readonly keys: {
    create(accountId: string, wish: KeyWish): Promise<NewKeyAnswer>;
    list(accountId: string): Promise<ListAnswer<KeyAnswer>>;
    revoke(keyId: string): Promise<void>;
  };
  readonly credits: { grant(wish: GrantWish): Promise<GrantAnswer> };
  /** All pages, each asked for when the one before was read. */
  transfers(wish: TransfersWish): AsyncGenerator<TransfersAnswer, void, undefined>;
  audit(): Promise<AuditAnswer>;
};

const accountsPath = "/admin/v1/accounts";

export function operatorClient(link: Link): OperatorClient {
  return {
    accounts: accountsClient(link),
    keys: keysClient(link),
    credits: {
      grant: ({ accountId, credits, mode, reason, idempotencyKey }) =>
        link.ask<GrantAnswer>(
          {
            method: "POST",
            path: `${accountsPath}/${segment(accountId)}/credits`,
            body: { credits, mode, reason },
            ...(idempotencyKey === undefined ? {} : { headers: { "idempotency-key": idempotencyKey } }),
          },
          ["transfer_id", "balances"],
        ),
    },
    transfers: (wish) => transferPages(link, wish),
    audit: () => link.ask<AuditAnswer>({ method: "POST", path: "/admin/v1/audit" }, ["ok", "faults"]),
  };
}

function accountsClient(link: Link): OperatorClient["accounts"] {
  const members = ["id", "name", "balances"] as const;
  const pathOf = (id: string) => `${accountsPath}/${segment(id)}`;
  return {
    create: (body) => link.ask<AccountAnswer>({ method: "POST", path: accountsPath, body }, members),
    list: () => link.ask<ListAnswer<AccountAnswer>>({ method: "GET", path: accountsPath }, ["data"]),
    read: async (id) => link.ask<AccountAnswer>({ method: "GET", path: pathOf(id) }, members),
    change: async (id, body) => link.ask<AccountAnswer>({ method: "PATCH", path: pathOf(id), body }, members),
  };
}

function keysClient(link: Link): OperatorClient["keys"] {
  const pathOf = (accountId: string) => `${accountsPath}/${segment(accountId)}/keys`;
  return {
    create: async (accountId, body) =>
      link.ask<NewKeyAnswer>({ method: "POST", path: pathOf(accountId), body }, ["id", "key"]),
    list: async (accountId) =>
      link.ask<ListAnswer<KeyAnswer>>({ method: "GET", path: pathOf(accountId) }, ["data"]),
    revoke: async (keyId) => link.tell({ method: "DELETE", path: `/admin/v1/keys/${segment(keyId)}` }),
  };
}

async function* transferPages(
  link: Link,
  { accountId, mode, after, pageSize }: TransfersWish,
): AsyncGenerator<TransfersAnswer, void, undefined> {
  const path = `${accountsPath}/${segment(accountId)}/transfers`;
  let from = after;
  for (;;) {
    const query = { mode, after: from, limit: pageSize };
    const page = await link.ask<TransfersAnswer>({ method: "GET", path, query }, ["data", "has_more"]);
    yield page;
    const last = page.data.at(-1);
    if (!page.has_more || last === undefined) return;
    from = last.sequence;
  }
}
