-- acquire: a slot for a thread, or the place of its successor.
--
-- KEYS  m, e, log, hash of the user
-- ARGV  the head (see the prelude)
--       5 field    of the thread
--       6 claim    of the caller's epoch; its takeovers are not looked at
--       7 limit    of the user
--       8 levels   totals at which the others are told, with commas between them; may be empty
-- Reply { 'granted', total }        the thread has a slot, and the claim is its holder
--       { 'takes', total, holder }  another process has the thread; the claim is its successor, and commit makes it the holder
--       { 'behind', stamp }         a claim of the thread is newer; ask again with a higher stamp
--       { 'contested', total }      two processes keep taking the thread from each other, or its slot cannot be read
--       { 'full', total, (epoch, slots, silent ms) ... }   one triple for each epoch that holds slots
--       { 'unknown' }               the caller's epoch is not alive
--
-- `total` counts live slots and those that cannot be read, the claim's own included.
-- The same claim again changes nothing but its rotation: clients resend what was not answered.
-- Never: takes the place of a live holder of another process.

if not isAlive(ownEpoch) then return { 'unknown' } end

local field, text, limit, levels = ARGV[5], ARGV[6], tonumber(ARGV[7]), ARGV[8]
local user = readUser(KEYS[4], field)
dropDead(user)

-- The thread has no slot yet, and there is room: most calls end here.
local isAdmitted = not user.own and user.total < limit
if isAdmitted then
  call('HSET', user.key, field, sub(text, 1, 18) .. '0')
  if user.total == 0 then call('PEXPIRE', user.key, ttlMs) end
  user.total = user.total + 1
  if not isLevel(levels, user.total) then return { 'granted', user.total } end
end

-- (slots.lua)

if isAdmitted then
  tellTotal(user, user.total, levels)
  return { 'granted', user.total }
end

local claim = parseClaim(text)

local function granted()
  return { 'granted', user.total }
end

local function takes(holder)
  return { 'takes', user.total, printClaim(holder) }
end

local function behind(holder, pending)
  if pending and isOlder(holder, pending) then return { 'behind', pending.stamp } end
  return { 'behind', holder.stamp }
end

local function full()
  local epochs, counts = {}, {}
  for _, slot in pairs(slotsOf(user)) do
    if parseSlot(slot) then
      local epoch = sub(slot, 1, 10)
      if not counts[epoch] then epochs[#epochs + 1] = epoch end
      counts[epoch] = (counts[epoch] or 0) + 1
    end
  end
  table.sort(epochs, function(one, other)
    return base36(one) < base36(other)
  end)
  local reply = { 'full', user.total }
  for _, epoch in ipairs(epochs) do
    reply[#reply + 1] = epoch
    reply[#reply + 1] = counts[epoch]
    reply[#reply + 1] = silenceOf(epoch)
  end
  return reply
end

-- The caller's process holds the thread already, so this is no takeover between processes: it is not counted as one, and
-- the count goes on from where it was.
local function replaceOwnHolder(holder, pending, isSoon)
  if isSame(claim, holder) then
    place(user, field, claim, false)
    return granted()
  end
  if isOlder(claim, holder) then return behind(holder, pending) end
  local isKept = pending and isOlder(claim, pending)
  local takeovers = isSoon and math.min(base36(holder.takeovers), maxTakeovers) or 0
  putSlot(user, field, withTakeovers(claim, takeovers), isKept and pending or nil)
  if pending and not isKept and pending.process ~= claim.process then tellClaim('moved', user, field, pending) end
  return granted()
end

local function replaceOwnPending(holder, pending, successor)
  if isOlder(claim, pending) then return behind(holder, pending) end
  putSlot(user, field, holder, successor)
  return takes(holder)
end

if not user.own then return full() end
local holder, pending = slotOf(user, field)
if not holder then return { 'contested', user.total } end

local isSoon = base36(claim.stamp) - base36(holder.stamp) < fightMs
if pending and isSame(claim, pending) then
  place(user, field, claim, false)
  return takes(holder)
end
if holder.process == claim.process then return replaceOwnHolder(holder, pending, isSoon) end
local successor = withTakeovers(claim, isSoon and math.min(base36(holder.takeovers) + 1, maxTakeovers) or 0)
if pending and pending.process == claim.process then return replaceOwnPending(holder, pending, successor) end
if isSoon and base36(holder.takeovers) >= maxTakeovers then return { 'contested', user.total } end
return place(user, field, successor, false) and takes(holder) or behind(holder, pending)
