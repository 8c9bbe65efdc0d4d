-- Claims, takeovers and the log: taken in by the bodies that need it.

local maxLog, maxTakeovers, fightMs, rotations = '4096', 5, 2000, 1296

local function digits(number)
  return string.format('%.0f', number)
end

local function base36(text)
  return tonumber(text, 36)
end

-- Claims -----------------------------------------------------------------------------------------------------------

local function parseClaim(text)
  if not isClaim(text) then return nil end
  return { process = sub(text, 1, 8), rotation = sub(text, 9, 10), stamp = sub(text, 11, 18), takeovers = sub(text, 19) }
end

local function printClaim(claim)
  return claim.process .. claim.rotation .. claim.stamp .. claim.takeovers
end

local function epochOf(claim)
  return claim.process .. claim.rotation
end

-- Whether both are the same claim, in whatever rotation.
local function isSame(one, other)
  return one.process == other.process and one.stamp == other.stamp
end

local function isOlder(one, other)
  if one.stamp ~= other.stamp then return base36(one.stamp) < base36(other.stamp) end
  return base36(one.process) < base36(other.process)
end

local function withTakeovers(claim, takeovers)
  return { process = claim.process, rotation = claim.rotation, stamp = claim.stamp, takeovers = digits(takeovers) }
end

-- The stored claim with the rotation of the call. A call of an earlier rotation has come late, and changes nothing.
local function refreshed(stored, claim)
  local ahead = (base36(claim.rotation) - base36(stored.rotation)) % rotations
  if ahead >= rotations / 2 then return stored end
  return { process = stored.process, rotation = claim.rotation, stamp = stored.stamp, takeovers = stored.takeovers }
end

-- Slots ------------------------------------------------------------------------------------------------------------

local function printSlot(holder, pending)
  if not pending then return printClaim(holder) end
  return printClaim(holder) .. '>' .. printClaim(pending)
end

-- Holder and pending claim, if there is one; nil if the format is unknown.
local function parseSlot(text)
  local holder = parseClaim(sub(text, 1, 19))
  if #text == 19 then return holder end
  local pending = sub(text, 20, 20) == '>' and parseClaim(sub(text, 21))
  if holder and pending then return holder, pending end
  return nil
end

-- The live slots of a user, by thread.
local function slotsOf(user)
  if not user.slots then
    user.slots = {}
    for index = 1, #user.stored, 2 do
      local field, text = user.stored[index], user.stored[index + 1]
      local live = user.stale and user.stale[field]
      if live == nil then live = text end
      user.slots[field] = live or nil
    end
  end
  return user.slots
end

-- Holder and pending claim of a thread; nil if it has no slot, or one of an unknown format.
local function slotOf(user, field)
  local text = slotsOf(user)[field]
  if text then return parseSlot(text) end
  return nil
end

-- Writes a slot, if it is another than before. The first of a user has the hash end after the TTL.
local function putSlot(user, field, holder, pending)
  local former, text = slotsOf(user)[field], printSlot(holder, pending)
  if former == text then return end
  call('HSET', user.key, field, text)
  if user.total == 0 then call('PEXPIRE', user.key, ttlMs) end
  if not former then user.total = user.total + 1 end
  user.slots[field] = text
end

local function removeSlot(user, field)
  call('HDEL', user.key, field)
  slotsOf(user)[field] = nil
  user.total = user.total - 1
end

-- The log ----------------------------------------------------------------------------------------------------------

-- Entries are hints: what a script has done stays done if one cannot be written.
local function tell(...)
  redis.pcall('XADD', logKey, 'MAXLEN', '~', maxLog, '*', ...)
  redis.pcall('PEXPIRE', logKey, ttlMs)
end

-- The user of a hash. The tag of the partition ends with the first brace: a prefix has none.
local function userIdOf(key)
  return string.match(key, '^[^}]*}:u:(.*)$')
end

local function tellClaim(name, user, field, claim)
  tell('t', name, 'u', userIdOf(user.key), 'f', field, 'p', claim.process, 'c', claim.stamp)
end

local function isSharedWithOthers(user)
  local process = sub(ownEpoch, 1, 8)
  for _, text in pairs(slotsOf(user)) do
    if sub(text, 1, 8) ~= process or not parseSlot(text) then return true end
  end
  return false
end

-- Tells the others that hold slots of the user, if the total has come to a level or fallen below it.
-- @param high the total before or after, whichever is higher
local function tellTotal(user, high, levels)
  if isLevel(levels, high) and isSharedWithOthers(user) then
    tell('t', 'total', 'u', userIdOf(user.key), 'n', digits(user.total))
  end
end

local function lastLogId()
  local last = call('XREVRANGE', logKey, '+', '-', 'COUNT', 1)[1]
  return last and last[1] or ''
end

-- What Redis calls its run id. After a restart or a failover it is another, and the server may have lost writes.
local function runId()
  return string.match(call('INFO', 'server'), 'run_id:(%w+)') or ''
end

-- The rule of takeovers ----------------------------------------------------------------------------------------------

-- Writes a claim to a thread that is there: the later stamp wins, and an open claim is the holder. Each claim that
-- loses its place is told `moved`. @return whether the claim is holder or pending now
local function place(user, field, claim, isOpen)
  local holder, pending = slotOf(user, field)
  if isSame(claim, holder) then
    putSlot(user, field, refreshed(holder, claim), pending)
    return true
  end
  if pending and isSame(claim, pending) then
    local successor = refreshed(pending, claim)
    if isOpen then
      putSlot(user, field, successor)
      tellClaim('moved', user, field, holder)
    else
      putSlot(user, field, holder, successor)
    end
    return true
  end
  if isOlder(claim, holder) then return false end
  if pending and isOlder(claim, pending) then
    if not isOpen then return false end
    putSlot(user, field, claim, pending)
    tellClaim('moved', user, field, holder)
    return true
  end
  if isOpen then putSlot(user, field, claim) else putSlot(user, field, holder, claim) end
  if pending then tellClaim('moved', user, field, pending) end
  if isOpen then tellClaim('moved', user, field, holder) end
  return true
end
