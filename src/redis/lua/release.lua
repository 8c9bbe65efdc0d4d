-- release: a claim gives its slot or its place back.
--
-- KEYS  m, e, log, hash of the user
-- ARGV  the head (see the prelude)
--       5 field    of the thread
--       6 claim    its rotation is not looked at
--       7 levels   totals at which the others are told, with commas between them; may be empty
-- Reply { 'ok', total }   the claim has no slot now; also if it had none before
--       { 'unknown' }     the caller's epoch is not alive
--
-- A live successor becomes the holder.
-- Never: takes the slot or the place of another claim; needs free memory. If its memory is full, Redis refuses a script at
-- the first write that may need memory, unless the script has written before. So the first write here is HDEL or PEXPIRE,
-- which it does not refuse. For the same reason release does not remove the slots of dead epochs: other scripts do.

if not isAlive(ownEpoch) then return { 'unknown' } end

local field, text, levels = ARGV[5], ARGV[6], ARGV[7]
local user = readUser(KEYS[4], field)

-- The claim is the holder, without a successor: most calls end here.
local own = user.own
local isAlone = own and #own == 19 and sub(own, 1, 8) == sub(text, 1, 8) and sub(own, 11, 18) == sub(text, 11, 18)
if isAlone then
  call('HDEL', user.key, field)
  user.total = user.total - 1
end
if not own or isAlone and not isLevel(levels, user.total + 1) then return { 'ok', user.total } end

-- (slots.lua)

if isAlone then
  slotsOf(user)[field] = nil
  tellTotal(user, user.total + 1, levels)
  return { 'ok', user.total }
end

-- A full Redis refuses HSET even of a field that is there, if it is the first write of a script. PEXPIRE it does not.
local function keep(claimKept)
  call('PEXPIRE', user.key, ttlMs)
  putSlot(user, field, claimKept)
end

local holder, pending = slotOf(user, field)
local claim = parseClaim(text)
if pending and isSame(claim, pending) then
  keep(holder)
elseif holder and isSame(claim, holder) then
  keep(pending)
end
return { 'ok', user.total }
