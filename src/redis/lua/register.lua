-- register: a new epoch.
--
-- KEYS  m, e, log
-- ARGV  the head (see the prelude); its epoch is the new one
-- Reply { 'ok' | 'taken', clock, now, run id, id of the last entry of the log }
--
-- taken: the epoch is there already; nothing was changed. The caller chooses another process id.
-- Never: refreshes an epoch, stores the clock.

local isNew = call('ZADD', epochsKey, 'NX', digits(clock), ownEpoch) == 1
if isNew then
  call('PEXPIRE', epochsKey, ttlMs)
  tell('t', 'joined', 'e', ownEpoch)
end
return { isNew and 'ok' or 'taken', clock, now, runId(), lastLogId() }
