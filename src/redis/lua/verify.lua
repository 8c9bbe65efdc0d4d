-- verify: does a claim still have its place?
--
-- KEYS  m, e, log, hash of the user
-- ARGV  the head (see the prelude)
--       5 field   of the thread
--       6 claim   its rotation is not looked at
-- Reply { 'held' }      it is the holder
--       { 'pending' }   it is the successor
--       { 'lost' }      it is neither
--       { 'unknown' }   the caller's epoch is not alive
--
-- It looks at the stored slot, and not at whether the epochs in it are alive. If a claim's epoch has died, no newer claim
-- took its place: so it is not 'lost'.
-- Never: writes.

if not isAlive(ownEpoch) then return { 'unknown' } end

-- (slots.lua)

local claim = parseClaim(ARGV[6])
local holder, pending = parseSlot(call('HGET', KEYS[4], ARGV[5]) or '')
if holder and isSame(claim, holder) then return { 'held' } end
if pending and isSame(claim, pending) then return { 'pending' } end
return { 'lost' }
