-- beat: the caller is alive. The only script that moves the clock on.
--
-- KEYS  m, e, log
-- ARGV  the head (see the prelude)
--       5 epochs   all epochs of the caller, with commas between them
--       6 cursor   the id of the last entry of the log that the caller has applied
-- Reply { 'ok', clock, now, run id, id of the first entry, id of the last entry (both empty if there is none),
--         number of unknown epochs, those epochs ...,
--         then for each entry after the cursor, at most 200: its id, how many texts follow, fields and values ... }
--
-- unknown: an epoch of the caller that is not there, or was silent too long: others may have dropped its slots. It is
-- not brought back.
-- Never: adds an epoch, reads or writes a user.

-- (slots.lua)

local version, maxEntries = '1', 200

call('HSET', metaKey, 'clock', digits(clock), 'last', digits(now), 'version', version)

local unknown = {}
for epoch in string.gmatch(ARGV[5], '[^,]+') do
  if isAlive(epoch) then
    call('ZADD', epochsKey, 'XX', digits(clock), epoch)
  else
    unknown[#unknown + 1] = epoch
  end
end

for _, epoch in ipairs(call('ZRANGEBYSCORE', epochsKey, '-inf', digits(clock - nodeTimeoutMs))) do
  call('ZREM', epochsKey, epoch)
  tell('t', 'died', 'e', epoch)
end

for _, key in ipairs({ metaKey, epochsKey, logKey }) do
  call('PEXPIRE', key, ttlMs)
end

local first = call('XRANGE', logKey, '-', '+', 'COUNT', 1)[1]
local reply = { 'ok', clock, now, runId(), first and first[1] or '', lastLogId(), #unknown }
for _, epoch in ipairs(unknown) do
  reply[#reply + 1] = epoch
end
for _, entry in ipairs(call('XRANGE', logKey, '(' .. ARGV[6], '+', 'COUNT', maxEntries)) do
  reply[#reply + 1] = entry[1]
  reply[#reply + 1] = #entry[2]
  for _, text in ipairs(entry[2]) do
    reply[#reply + 1] = text
  end
end
return reply
