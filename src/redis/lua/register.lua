-- register: a new epoch.
--
-- KEYS  m, e, log
-- ARGV  the head (see the prelude); its epoch is the new one
--       5 limit   of the caller for users in general
-- Reply { 'ok' | 'taken', clock, now, run id, id of the last entry of the log, limit of the last that registered }
--
-- taken: the epoch is there already; nothing was changed. The caller takes its next rotation.
-- Never: refreshes an epoch, stores the clock.

-- (slots.lua)

local otherLimit = call('HGET', metaKey, 'limit') or ''
local isNew = call('ZADD', epochsKey, 'NX', digits(clock), ownEpoch) == 1
if isNew then
  call('PEXPIRE', epochsKey, ttlMs)
  call('HSET', metaKey, 'limit', ARGV[5])
  call('PEXPIRE', metaKey, ttlMs)
  tell('t', 'joined', 'e', ownEpoch)
end
return { isNew and 'ok' or 'taken', clock, now, runId(), lastLogId(), otherLimit }
