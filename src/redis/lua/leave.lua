-- leave: epochs end. Everything that is held under them is free with that.
--
-- KEYS  m, e, log
-- ARGV  the head (see the prelude)
--       5 epochs   that end, with commas between them
-- Reply { 'ok', how many of them there were }
--
-- Never: reads or writes a user.

local removed = 0
for epoch in string.gmatch(ARGV[5], '[^,]+') do
  removed = removed + call('ZREM', epochsKey, epoch)
end
return { 'ok', removed }
