-- The beginning of every script: the clock, who is alive, how slots are read and written, and the one rule of
-- takeovers. It is put before each body.
--
-- KEYS  1 m     hash: clock, last, version, limit
--       2 e     sorted set: epoch -> clock at its last beat
--       3 log   stream of hints
--       4 ...   hashes of users: thread field -> slot (not in register, beat and leave)
-- ARGV  1 epoch           of the caller: process id and rotation, 10 characters
--       2 beatMs          how often a process beats
--       3 nodeTimeoutMs   how long an epoch may be silent before it is dead
--       4 ttlMs           when keys end that nobody renews
--
-- A slot is `holder` or `holder>pending`, each a claim of 19 characters 0-9a-z: process 8, rotation 2, stamp 8, run 1.
-- A slot of another format counts as occupied; no script changes it.
--
-- Never: reads a key that is not in KEYS, writes a number in any other form than digits, compares texts by order (Redis
-- takes the order of the machine's language, in which z may come before t).

local call, sub, find = redis.call, string.sub, string.find
local ownEpoch = ARGV[1]
local beatMs, nodeTimeoutMs, ttlMs = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local metaKey, epochsKey, logKey = KEYS[1], KEYS[2], KEYS[3]
local maxLog, maxRun, fightMs, rotations = '4096', 5, 2000, 1296

local function digits(number)
  return string.format('%.0f', number)
end

local function base36(text)
  return tonumber(text, 36)
end

-- The clock --------------------------------------------------------------------------------------------------------

-- The time of Redis without the gaps in which nobody beat. If `m` is lost, the newest beat is the best that is known:
-- from 0 on, epochs that died before would count as alive until the clock is where it was.
local function readClock()
  local time = call('TIME')
  local nowMs = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  local stored = call('HMGET', metaKey, 'clock', 'last')
  local clockMs, lastMs = tonumber(stored[1]), tonumber(stored[2])
  if not clockMs or not lastMs then
    local newest = call('ZRANGE', epochsKey, -1, -1, 'WITHSCORES')
    clockMs, lastMs = tonumber(newest[2]) or 0, nowMs
  end
  return clockMs + math.min(math.max(nowMs - lastMs, 0), 2 * beatMs), nowMs
end

local clock, now = readClock()

-- Who is alive -----------------------------------------------------------------------------------------------------

local scores = {}

-- How long an epoch was silent, in milliseconds; nil if it is dead.
local function silenceOf(epoch)
  if scores[epoch] == nil then scores[epoch] = tonumber(call('ZSCORE', epochsKey, epoch)) or false end
  if not scores[epoch] then return nil end
  local silentMs = clock - scores[epoch]
  if silentMs >= nodeTimeoutMs then return nil end
  return math.max(silentMs, 0)
end

local function isAlive(epoch)
  return silenceOf(epoch) ~= nil
end

-- Claims -----------------------------------------------------------------------------------------------------------

local function isClaim(text)
  return #text == 19 and not find(text, '[^0-9a-z]')
end

local function parseClaim(text)
  if not isClaim(text) then return nil end
  return { process = sub(text, 1, 8), rotation = sub(text, 9, 10), stamp = sub(text, 11, 18), run = sub(text, 19) }
end

local function printClaim(claim)
  return claim.process .. claim.rotation .. claim.stamp .. claim.run
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

local function withRun(claim, run)
  return { process = claim.process, rotation = claim.rotation, stamp = claim.stamp, run = digits(run) }
end

-- The stored claim in the rotation of the call. A call that comes late, from a rotation before, does not lead it back.
local function refreshed(stored, claim)
  local ahead = (base36(claim.rotation) - base36(stored.rotation)) % rotations
  if ahead >= rotations / 2 then return stored end
  return { process = stored.process, rotation = claim.rotation, stamp = stored.stamp, run = stored.run }
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

-- The slot without the dead: nil if nobody is left. Second, whether the format is unknown.
local function liveSlot(text)
  if isClaim(text) then return isAlive(sub(text, 1, 10)) and text or nil, false end
  local holder, pending = parseSlot(text)
  if not holder then return text, true end
  if not isAlive(epochOf(pending)) then pending = nil end
  if not isAlive(epochOf(holder)) then holder, pending = pending, nil end
  return holder and printSlot(holder, pending), false
end

-- The live slots of a user, as texts, since most of them are only counted. Writes nothing: what is to be written for
-- the dead is in `stale`.
local function readUser(key)
  local slots, unreadable, stale, total = {}, {}, {}, 0
  local stored = call('HGETALL', key)
  for index = 1, #stored, 2 do
    local field, text = stored[index], stored[index + 1]
    local live, isUnreadable = liveSlot(text)
    if live then
      slots[field] = live
      total = total + 1
    end
    if live ~= text then stale[field] = live or false end
    if isUnreadable then unreadable[field] = true end
  end
  return { key = key, slots = slots, unreadable = unreadable, stale = stale, total = total }
end

local function dropDead(user)
  for field, text in pairs(user.stale) do
    if text then call('HSET', user.key, field, text) else call('HDEL', user.key, field) end
  end
  user.stale = {}
end

-- Holder and pending claim of a thread; nil if it has no slot, or one of an unknown format.
local function slotOf(user, field)
  if not user.slots[field] or user.unreadable[field] then return nil end
  return parseSlot(user.slots[field])
end

-- Writes a slot, if it is another than before. The first of a user has the hash end after the TTL.
local function putSlot(user, field, holder, pending)
  local former, text = user.slots[field], printSlot(holder, pending)
  if former == text then return end
  call('HSET', user.key, field, text)
  if user.total == 0 then call('PEXPIRE', user.key, ttlMs) end
  if not former then user.total = user.total + 1 end
  user.slots[field] = text
end

local function removeSlot(user, field)
  call('HDEL', user.key, field)
  user.slots[field] = nil
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
  for field, text in pairs(user.slots) do
    if sub(text, 1, 8) ~= process or user.unreadable[field] then return true end
  end
  return false
end

-- Tells the others that hold slots of the user if the total has crossed a level, upwards or downwards.
local function tellTotal(user, before, levels)
  local low, high = math.min(before, user.total), math.max(before, user.total)
  for level in string.gmatch(levels, '%d+') do
    if low < tonumber(level) and tonumber(level) <= high and isSharedWithOthers(user) then
      tell('t', 'total', 'u', userIdOf(user.key), 'n', digits(user.total))
      return
    end
  end
end

local function lastLogId()
  local last = call('XREVRANGE', logKey, '+', '-', 'COUNT', 1)[1]
  return last and last[1] or ''
end

-- The identity of this run of the server: another one may have lost writes.
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
