-- exchange: the slot of one thread goes to another thread of the same user, in one step.
--
-- KEYS  m, e, log, hash of the user
-- ARGV  the head (see the prelude)
--       5 field of the victim's thread
--       6 claim of the victim, in whatever rotation
--       7 field of the newcomer's thread
--       8 claim of the newcomer, of whatever process
-- Reply { 'exchanged', total }   the newcomer has a slot, and the victim's claim none
--       { 'gone', total }        nothing was changed: the victim is another claim or has a successor, the newcomer's
--                                thread has a slot, or the newcomer's epoch is not alive
--       { 'unknown' }            the caller's epoch is not alive
--
-- The same exchange again changes nothing, and is answered in the same way.
-- Never: changes the total.

if not isAlive(ownEpoch) then return { 'unknown' } end

-- (slots.lua)

local user = readUser(KEYS[4])
dropDead(user)
local victimField, victim, field, claim = ARGV[5], parseClaim(ARGV[6]), ARGV[7], parseClaim(ARGV[8])
local holder, pending = slotOf(user, victimField)
local newcomer = slotOf(user, field)

if not holder or not isSame(holder, victim) then
  return { newcomer and isSame(newcomer, claim) and 'exchanged' or 'gone', user.total }
end
if pending or slotsOf(user)[field] or not isAlive(epochOf(claim)) then return { 'gone', user.total } end

putSlot(user, field, claim)
removeSlot(user, victimField)
tellClaim('granted', user, field, claim)
return { 'exchanged', user.total }
