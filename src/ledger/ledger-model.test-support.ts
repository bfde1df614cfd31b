import type { Credits } from "../core/credits.ts";
import type { Receipt } from "../core/receipt.ts";
import type { Closed, Grant, HoldAnswer, HoldRequest } from "./ledger.ts";

/** What a ledger promises, in memory and one request at a time: the real ones are compared with it. */
export class LedgerModel {
  readonly #available = new Map<string, Credits>();
  readonly #held = new Map<string, Credits>();
  readonly #charged = new Map<string, Credits>();
  readonly #grants = new Set<string>();

  grant(grant: Grant): Credits {
    if (!this.#grants.has(grant.id)) this.#move(grant.accountId, grant.amount);
    this.#grants.add(grant.id);
    return this.available(grant.accountId);
  }

  hold(request: HoldRequest): HoldAnswer {
    const earlier = this.#held.get(request.callId);
    const available = this.available(request.accountId);
    if (this.#charged.has(request.callId)) return { held: undefined, available };
    if (earlier !== undefined) return { held: earlier, available };
    if (available < request.minimum) return { held: undefined, available };
    const held = request.amount < available ? request.amount : available;
    this.#held.set(request.callId, held);
    return { held, available: this.#move(request.accountId, -held) };
  }

  close(receipt: Receipt): Closed {
    const earlier = this.#charged.get(receipt.callId);
    if (earlier !== undefined) return { charged: earlier, available: this.available(receipt.accountId) };
    const held = this.#held.get(receipt.callId) ?? 0n;
    const charged = receipt.cost < held ? receipt.cost : held;
    this.#charged.set(receipt.callId, charged);
    return { charged, available: this.#move(receipt.accountId, held - charged) };
  }

  available(accountId: string): Credits {
    return this.#available.get(accountId) ?? 0n;
  }

  #move(accountId: string, amount: Credits): Credits {
    const available = this.available(accountId) + amount;
    this.#available.set(accountId, available);
    return available;
  }
}
