import { createHash } from "node:crypto";

/**
 * The decisions as Lua, each atomic in the server and on the server's clock, with commands of Redis 7.0 and older.
 *
 * Per key: `minute`, a list of admission times in µs, oldest first; and `open`, a sorted set of the open calls by the
 * µs at which their lease ends. Both expire by themselves.
 */
export type Script = { readonly text: string; readonly sha: string; readonly keyCount: number };

/** By how much a key outlives its newest entry, so that expiry never decides before the script does. */
const expiryMarginMs = 1000;

/** `%.0f` because Lua prints numbers of this size with an exponent otherwise. */
const now = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function text(number) return string.format('%.0f', number) end
`;

/**
 * Drops the admissions that are a window old, found by bisection so that a past burst costs no long scan.
 * A server clock that went back a little is held at the newest entry; by more than a window, the list starts anew.
 */
const forget = `${now}
local window = tonumber(ARGV[1])
local size = redis.call('LLEN', KEYS[1])
local newest = now
local function at(index) return tonumber(redis.call('LINDEX', KEYS[1], index)) end
if size > 0 then
  newest = at(-1)
  if newest > now + window or newest <= now - window then
    redis.call('DEL', KEYS[1])
    size = 0
  else
    if newest > now then now = newest end
    if at(0) <= now - window then
      local low, high = 0, size - 1
      while low < high do
        local middle = math.floor((low + high) / 2)
        if at(middle) <= now - window then low = middle + 1 else high = middle end
      end
      redis.call('LTRIM', KEYS[1], low, -1)
      size = size - low
    end
  end
end
local function untilGone(admitted) return window - (now - admitted) end
local untilEmpty = 0
if size > 0 then untilEmpty = untilGone(newest) end
`;

/** Arguments: window µs, limit, concurrency, ticket, lease µs. Answers [verdict, admissions, µs until empty, µs until room | admitted at]. */
const enter = script(
  2,
  `${forget}
local limit = tonumber(ARGV[2])
if size >= limit then
  local untilRoom = window
  if limit > 0 then untilRoom = untilGone(at(size - limit)) end
  return { 'rate', size, untilEmpty, text(untilRoom) }
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', text(time[1] * 1000000 + time[2]))
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[3]) then
  return { 'concurrency', size, untilEmpty, '0' }
end
redis.call('RPUSH', KEYS[1], text(now))
redis.call('PEXPIRE', KEYS[1], math.ceil(window / 1000) + ${expiryMarginMs})
redis.call('ZADD', KEYS[2], text(time[1] * 1000000 + time[2] + ARGV[5]), ARGV[4])
redis.call('PEXPIRE', KEYS[2], math.ceil(ARGV[5] / 1000) + ${expiryMarginMs})
return { 'allowed', size + 1, window, text(now) }
`,
);

/** Arguments: window µs. Answers [admissions, µs until empty]. */
const peek = script(1, `${forget}return { size, untilEmpty }`);

/** Arguments: ticket, admission to take back or the empty text. The entry is near the end, where LREM starts. */
const leave = script(
  2,
  `redis.call('ZREM', KEYS[2], ARGV[1])
if ARGV[2] ~= '' then redis.call('LREM', KEYS[1], -1, ARGV[2]) end
return 1
`,
);

/** Arguments: lease µs, tickets. Writes the leases anew even when they are gone: their calls are still open. */
const renew = script(
  1,
  `${now}
for index = 2, #ARGV do redis.call('ZADD', KEYS[1], text(now + ARGV[1]), ARGV[index]) end
redis.call('PEXPIRE', KEYS[1], math.ceil(ARGV[1] / 1000) + ${expiryMarginMs})
return #ARGV - 1
`,
);

/** Arguments: lease µs, node. Notes that the node lives and answers how many do. */
const beat = script(
  1,
  `${now}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', text(now))
redis.call('ZADD', KEYS[1], text(now + ARGV[1]), ARGV[2])
redis.call('PEXPIRE', KEYS[1], math.ceil(ARGV[1] / 1000) + ${expiryMarginMs})
return redis.call('ZCARD', KEYS[1])
`,
);

export const redisScripts = { enter, peek, leave, renew, beat } as const;

/** The hash tag keeps both keys of one customer key in one slot of a cluster. */
export function redisKeys(keyId: string): { readonly minute: string; readonly open: string } {
  return { minute: `skillboss:{${keyId}}:minute`, open: `skillboss:{${keyId}}:open` };
}

export const nodesKey = "skillboss:{nodes}:alive";

function script(keyCount: number, text: string): Script {
  return { text, sha: createHash("sha1").update(text).digest("hex"), keyCount };
}
