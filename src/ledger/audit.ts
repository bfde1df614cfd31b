import type { Database, Statement } from "../storage/database.ts";
import { answerOf, runAgain } from "./ledger-statements.ts";
import type { Audit } from "./ledger.ts";

/** A dead process's calls are closed well within this; holds that outlive it were forgotten. */
const forgottenAfter = "interval '30 seconds'";

/** The most sentences an audit answers with; a broken ledger would fill pages. */
const mostFaults = 100;

/** Transfers in their order, with the number each should begin at and the balances after it. */
const lines = `
  line as materialized (
    select t.*, lines_in(kind, loss) as lines,
      lag(sequence + lines_in(kind, loss), 1, 1::bigint) over account as due,
      sum(available) over account as available_then,
      sum(held) over account as held_then
    from transfers t
    window account as (partition by account_id, mode order by sequence rows unbounded preceding)
  )`;

/** Each account's books beside what its transfers and its open holds add up to. */
const accounts = `
  total as (
    select account_id, mode, max(sequence + lines) - 1 as last_line,
      bool_and(sequence = due) as counts_on, min(least(available_then, held_then)) as lowest,
      array[sum(available), sum(held), sum(revenue), sum(loss), sum(grants), sum(payments)] as sums
    from line group by account_id, mode
  ), open as (
    select account_id, mode, sum(amount) as amount from holds group by account_id, mode
  ), account as (
    select account_id || ' (' || mode || ')' as name, b.sequence, t.last_line, t.counts_on, t.lowest,
      coalesce(t.sums, array[0, 0, 0, 0, 0, 0]) as sums,
      array[b.available, b.held, b.revenue, b.loss, b.grants, b.payments]::numeric[] as balances,
      b.held, coalesce(o.amount, 0) as open
    from books b full join total t using (account_id, mode) full join open o using (account_id, mode)
  )`;

/** Each call's transfers beside its open hold and its receipt. A payer is an account in a mode. */
const calls = `
  moved as (
    select call_id,
      count(*) filter (where kind = 'hold') as holds,
      count(*) filter (where kind <> 'hold') as ends,
      count(distinct account_id || ' ' || mode) as payers,
      min(account_id || ' ' || mode) as payer,
      coalesce(sum(held) filter (where kind = 'hold'), 0) as taken,
      coalesce(-sum(held) filter (where kind <> 'hold'), 0) as freed,
      -sum(available) as charged,
      sum(revenue + loss) as earned
    from line where kind <> 'grant' group by call_id
  ), call as (
    select call_id, coalesce(m.holds, 0) as holds, coalesce(m.ends, 0) as ends, coalesce(m.payers, 0) as payers,
      m.payer, m.taken, m.freed, m.charged, coalesce(m.earned, 0) as earned, h.amount as open, r.cost,
      r.account_id || ' ' || r.mode as billed
    from moved m full join holds h using (call_id) full join receipts r using (call_id)
  )`;

const faults = `
  fault (sentence) as (
    select 'The account ' || a.id || ' has no ' || m.mode || ' books.'
    from accounts a cross join (values ('live'), ('test')) m (mode)
    where not exists (select from books b where b.account_id = a.id and b.mode = m.mode)
    union all
    select 'The books of ' || name || ' do not exist, yet have transfers or holds.' from account where held is null
    union all
    select 'The transfers of ' || name || ' do not add up to its books.' from account where sums <> balances
    union all
    select 'The lines of ' || name || ' are not numbered from 1 without gaps.' from account
    where not counts_on or sequence <> coalesce(last_line, 0)
    union all
    select 'A book of ' || name || ' was below zero at some time.' from account where lowest < 0
    union all
    select 'The open holds of ' || name || ' do not add up to what it has on hold.' from account where held <> open
    union all
    select 'The call ' || call_id || ' has ' || holds || ' holds.' from call
    where holds > 1 or holds = 0 and (ends > 0 or open is not null)
    union all
    select 'The call ' || call_id || ' was closed ' || ends || ' times.' from call where ends > 1
    union all
    select 'The call ' || call_id || ' touches the books of ' || payers || ' payers.' from call where payers > 1
    union all
    select 'The call ' || call_id || ' is neither open nor closed.' from call
    where holds = 1 and ends = 0 and (open is null or open <> taken)
    union all
    select 'The call ' || call_id || ' is both open and closed.' from call
    where open is not null and (ends > 0 or cost is not null)
    union all
    select 'The call ' || call_id || ' was closed for more or less than it held.' from call
    where ends = 1 and (freed <> taken or charged < 0 or charged > taken)
    union all
    select 'The call ' || call_id || ' has no receipt.' from call where ends > 0 and cost is null
    union all
    select 'The receipt of the call ' || call_id || ' does not state what was charged.' from call
    where cost <> earned
    union all
    select 'The receipt of the call ' || call_id || ' is not its payer''s.' from call
    where payers = 1 and billed <> payer
    union all
    select 'The call ' || h.call_id || ' is still on hold, though its process is gone.'
    from holds h left join nodes n on n.id = h.node_id
    where h.node_id <> $1 and greatest(h.opened_at, n.seen_at, pg_postmaster_start_time()) < now() - ${forgottenAfter}
      and not exists (select from runs r where r.call_id = h.call_id and r.state <> 'over')
    union all
    select 'The run ' || r.id || ' is over, but its call is still on hold.'
    from runs r join holds h on h.call_id = r.call_id where r.state = 'over'
  )`;

/** One statement, so one snapshot: traffic during the audit cannot look like a fault. */
const statement: Statement = {
  name: "ledger_audit",
  text: `with ${lines}, ${accounts}, ${calls}, ${faults}
    select json_build_array(
      (select count(*) from books), (select count(*) from line), (select count(*) from holds),
      (select coalesce(json_agg(sentence), '[]') from (select sentence from fault limit ${mostFaults}) f))::text as answer`,
};

/** Reads everything ever written; the node that asks counts as alive. */
export async function auditBooks(database: Database, nodeId: string): Promise<Audit> {
  const [books, transfers, openHolds, sentences] = answerOf(await runAgain(database, statement, [nodeId]));
  const found = Array.isArray(sentences) ? sentences.map(String) : [];
  return {
    ok: found.length === 0,
    books: Number(books),
    transfers: Number(transfers),
    openHolds: Number(openHolds),
    faults: found,
  };
}
