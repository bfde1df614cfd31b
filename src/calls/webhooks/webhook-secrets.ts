import { hkdfSync } from "node:crypto";
import { sql } from "kysely";
import type { Mode } from "../../core/caller.ts";
import type { Clock } from "../../core/clock.ts";
import { Problem } from "../../core/problems.ts";
import type { Database } from "../../storage/database.ts";

/** Whose secrets: live and test messages are signed with different ones. */
export type SecretOwner = { readonly accountId: string; readonly mode: Mode };

export type WebhookSecret = {
  /** `whsec_` and 256 bits in base64, as the libraries of Standard Webhooks take it. */
  readonly secret: string;
  /** 1 for the first, one more with each rotation. */
  readonly generation: number;
  /** Older secrets that still sign beside it, newest first. */
  readonly replaced: readonly { readonly generation: number; readonly signsUntil: Date }[];
};

export type SecretsHouse = {
  readonly database: Database;
  readonly clock: Clock;
  /** The server's master secret: the same on every node and after every start, or receivers refuse what we send. */
  readonly secret: string | Uint8Array;
};

/** After a rotation the replaced secret goes on signing for so long, so that receivers can change in their own time. */
export const overlapMs = 24 * 3_600_000;
/** Each of them is a signature in every message. */
export const mostReplaced = 4;

/**
 * The secrets that webhooks are signed with. They are derived from the master secret and stored nowhere: the database
 * knows how often an account has rotated, and when.
 */
export class WebhookSecrets {
  readonly #house: SecretsHouse;

  constructor(house: SecretsHouse) {
    this.#house = house;
  }

  async read(owner: SecretOwner): Promise<WebhookSecret> {
    const replaced = await this.#replaced(owner);
    const generation = (replaced[0]?.generation ?? 0) + 1;
    return {
      secret: `whsec_${this.#keyOf(owner, generation).toString("base64")}`,
      generation,
      replaced: replaced
        .map((one) => ({
          generation: one.generation,
          signsUntil: new Date(one.replaced_at.getTime() + overlapMs),
        }))
        .filter(({ signsUntil }) => signsUntil.getTime() > this.#house.clock.now()),
    };
  }

  /** A new secret from now on. Rotations at the same moment are one. Throws `conflict` when too many would sign. */
  async rotate(owner: SecretOwner): Promise<WebhookSecret> {
    const { replaced } = await this.read(owner);
    if (replaced.length >= mostReplaced) {
      const message = `${mostReplaced} replaced secrets still sign. Rotate again when the oldest of them has ended.`;
      throw new Problem("conflict", { message });
    }
    await this.#house.database.kysely
      .insertInto("replaced_webhook_secrets")
      .columns(["account_id", "mode", "generation", "replaced_at"])
      .expression((of) =>
        of
          .selectFrom("replaced_webhook_secrets")
          .where("account_id", "=", owner.accountId)
          .where("mode", "=", owner.mode)
          .select([
            sql<string>`${owner.accountId}::text`.as("account_id"),
            sql<Mode>`${owner.mode}::text`.as("mode"),
            sql<number>`coalesce(max(generation), 0) + 1`.as("generation"),
            sql<Date>`${new Date(this.#house.clock.now())}::timestamptz`.as("replaced_at"),
          ]),
      )
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    return this.read(owner);
  }

  /** The keys that sign now, the current one first. */
  async signingKeys(owner: SecretOwner): Promise<readonly Buffer[]> {
    const { generation, replaced } = await this.read(owner);
    return [generation, ...replaced.map((one) => one.generation)].map((one) => this.#keyOf(owner, one));
  }

  /** Newest first; more than those that may sign are of no interest. */
  #replaced({ accountId, mode }: SecretOwner) {
    return this.#house.database.kysely
      .selectFrom("replaced_webhook_secrets")
      .select(["generation", "replaced_at"])
      .where("account_id", "=", accountId)
      .where("mode", "=", mode)
      .orderBy("generation", "desc")
      .limit(mostReplaced)
      .execute();
  }

  #keyOf({ accountId, mode }: SecretOwner, generation: number): Buffer {
    const purpose = `skillboss webhook secret 1\n${accountId}\n${mode}\n${generation}`;
    return Buffer.from(hkdfSync("sha256", this.#house.secret, "", purpose, 32));
  }
}
