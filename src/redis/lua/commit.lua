-- commit: the connection of a claim is open, so that a successor becomes the holder.
--
-- KEYS  m, e, log, hash of the user
-- ARGV  the head (see the prelude)
--       5 field    of the thread
--       6 claim    of the caller's epoch
--       7 limit    of the user
--       8 levels   totals at which the others are told, with commas between them; may be empty
-- Reply { 'held', total }     the claim is the holder
--       { 'lost', total }     a newer claim of the thread has its place
--       { 'absent', total }   nothing was changed: the thread has no slot and the user's quota is full, or the slot is in a
--                             format that cannot be read. The claim may still be good: assert it
--       { 'unknown' }         the caller's epoch is not alive
--
-- Never: goes beyond the limit.

if not isAlive(ownEpoch) then return { 'unknown' } end

-- (slots.lua)

local user = readUser(KEYS[4])
dropDead(user)
local field, claim, limit, levels = ARGV[5], parseClaim(ARGV[6]), tonumber(ARGV[7]), ARGV[8]

if slotOf(user, field) then return { place(user, field, claim, true) and 'held' or 'lost', user.total } end
if slotsOf(user)[field] or user.total >= limit then return { 'absent', user.total } end

putSlot(user, field, claim)
tellTotal(user, user.total, levels)
return { 'held', user.total }
