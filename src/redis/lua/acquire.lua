-- acquire: a slot for a thread, or the place of its successor.
--
-- KEYS  m, e, log, hash of the user
-- ARGV  the head (see the prelude)
--       5 field    of the thread
--       6 claim    of the caller's epoch; its run is not looked at
--       7 limit    of the user
--       8 levels   totals at which the others are told, with commas between them; may be empty
-- Reply { 'granted', total }        the thread has a slot, and the claim is its holder
--       { 'takes', total, holder }  another process has the thread; the claim is its successor, once it is committed
--       { 'behind', stamp }         a claim of the thread is newer; ask again with a higher stamp
--       { 'contested', total }      two processes keep taking the thread from each other, or its slot cannot be read
--       { 'full', total, (epoch, slots, silent ms) ... }   one triple for each epoch that holds slots
--       { 'unknown' }               the caller's epoch is not alive
--
-- `total` counts live slots and those that cannot be read, the claim's own included.
-- The same claim again changes nothing but its rotation: clients resend what was not answered.
-- Never: takes the place of a live holder of another process.

if not isAlive(ownEpoch) then return { 'unknown' } end

local user = readUser(KEYS[4])
dropDead(user)
local field, claim, limit, levels = ARGV[5], parseClaim(ARGV[6]), tonumber(ARGV[7]), ARGV[8]

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

-- The thread has no slot yet.
local function admit()
  local before = user.total
  putSlot(user, field, withRun(claim, 0))
  tellTotal(user, before, levels)
  return granted()
end

local function full()
  local epochs, counts = {}, {}
  for slotField, text in pairs(user.slots) do
    if not user.unreadable[slotField] then
      local epoch = sub(text, 1, 10)
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

-- The caller's process holds the thread. That is no takeover between processes: it neither counts as one nor ends a run
-- of them.
local function replaceOwnHolder(holder, pending, isSoon)
  if isSame(claim, holder) then
    place(user, field, claim, false)
    return granted()
  end
  if isOlder(claim, holder) then return behind(holder, pending) end
  local isKept = pending and isOlder(claim, pending)
  local run = isSoon and math.min(base36(holder.run), maxRun) or 0
  putSlot(user, field, withRun(claim, run), isKept and pending or nil)
  if pending and not isKept and pending.process ~= claim.process then tellClaim('moved', user, field, pending) end
  return granted()
end

local function replaceOwnPending(holder, pending, successor)
  if isOlder(claim, pending) then return behind(holder, pending) end
  putSlot(user, field, holder, successor)
  return takes(holder)
end

if not user.slots[field] then return user.total < limit and admit() or full() end
local holder, pending = slotOf(user, field)
if not holder then return { 'contested', user.total } end

local isSoon = base36(claim.stamp) - base36(holder.stamp) < fightMs
if pending and isSame(claim, pending) then
  place(user, field, claim, false)
  return takes(holder)
end
if holder.process == claim.process then return replaceOwnHolder(holder, pending, isSoon) end
local successor = withRun(claim, isSoon and math.min(base36(holder.run) + 1, maxRun) or 0)
if pending and pending.process == claim.process then return replaceOwnPending(holder, pending, successor) end
if isSoon and base36(holder.run) >= maxRun then return { 'contested', user.total } end
return place(user, field, successor, false) and takes(holder) or behind(holder, pending)
