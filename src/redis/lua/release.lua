-- release: a claim gives its slot or its place back.
--
-- KEYS  m, e, log, hash of the user
-- ARGV  the head (see the prelude)
--       5 field    of the thread
--       6 claim    its rotation is not looked at
--       7 levels   totals at which the others are told, with commas between them; may be empty
-- Reply { 'ok', total }   the claim has nothing, now or before
--       { 'unknown' }     the caller's epoch is not alive
--
-- A live successor becomes the holder.
-- Never: takes anything from another claim; needs memory. Its first write is one that a full Redis still does, which
-- then also does the others of the script. So it leaves the dead to others.

if not isAlive(ownEpoch) then return { 'unknown' } end

local user = readUser(KEYS[4])
local field, claim, levels = ARGV[5], parseClaim(ARGV[6]), ARGV[7]

-- A full Redis refuses HSET even of a field that is there, if it is the first write of a script. PEXPIRE it does not.
local function keep(claimKept)
  call('PEXPIRE', user.key, ttlMs)
  putSlot(user, field, claimKept)
end

local holder, pending = slotOf(user, field)
if pending and isSame(claim, pending) then
  keep(holder)
elseif holder and isSame(claim, holder) then
  local before = user.total
  if pending then keep(pending) else removeSlot(user, field) end
  tellTotal(user, before, levels)
end
return { 'ok', user.total }
