import type { AccountAnswer } from "../client/answers.ts";
import type { Client } from "../client/client.ts";
import { WrongUse } from "./exit.ts";

const idForm = /^acc_[0-9a-f]{32}$/;

/** The id of the account that goes by this id or name. A name that two accounts have names neither. */
export async function accountIdOf(client: Client, idOrName: string): Promise<string> {
  if (idForm.test(idOrName)) return idOrName;
  const { data } = await client.accounts.list();
  const named = data.filter((account) => account.name === idOrName || account.id === idOrName);
  const [first] = named;
  if (first === undefined) throw new Error(unknownAccount(idOrName, data));
  if (named.length === 1) return first.id;
  const ids = named.map((account) => `  ${account.id}`).join("\n");
  throw new WrongUse(`${named.length} accounts are named ${idOrName}. Write the id of one:\n${ids}`);
}

const mostNamed = 10;

function unknownAccount(asked: string, all: readonly AccountAnswer[]): string {
  const names = all.slice(0, mostNamed).map((account) => account.name);
  const more = all.length > mostNamed ? ", …" : "";
  const known =
    names.length === 0
      ? "There are none yet: skillboss accounts create <name>"
      : `There are: ${names.join(", ")}${more}`;
  return `There is no account ${asked}. ${known}`;
}
