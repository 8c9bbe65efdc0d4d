-- The beginning of every script: the clock, who is alive, and the slots of a user. It is put before each body. What most
-- calls do not need is in slots.lua, which a body takes in where it needs it, since a script makes its functions anew
-- with each call.
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
-- A slot is `holder` or `holder>pending`, each a claim of 19 characters 0-9a-z: process 8, rotation 2, stamp 8, takeovers 1.
-- A slot of another format counts as occupied; no script changes it.
--
-- Never: reads a key that is not in KEYS, writes a number in any other form than digits, compares texts by order (Redis
-- takes the order of the machine's language, in which z may come before t).

local call, sub, find = redis.call, string.sub, string.find
local ownEpoch = ARGV[1]
local beatMs, nodeTimeoutMs, ttlMs = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local metaKey, epochsKey, logKey = KEYS[1], KEYS[2], KEYS[3]

-- The clock --------------------------------------------------------------------------------------------------------

-- The time of Redis without the gaps in which nobody beat. If `m` is lost, the newest beat is the best that is known:
-- from 0 on, epochs that died before would count as alive until the clock is where it was.
local time, beaten = call('TIME'), call('HMGET', metaKey, 'clock', 'last')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local clock, last = tonumber(beaten[1]), tonumber(beaten[2])
if not clock or not last then
  local newest = call('ZRANGE', epochsKey, -1, -1, 'WITHSCORES')
  clock, last = tonumber(newest[2]) or 0, now
end
clock = clock + math.min(math.max(now - last, 0), 2 * beatMs)

-- Who is alive -----------------------------------------------------------------------------------------------------

-- How long each epoch was silent, in milliseconds; false if it is dead. It has those that were asked for.
local silences = {}

local function silenceOf(epoch)
  local silentMs = silences[epoch]
  if silentMs == nil then
    local score = tonumber(call('ZSCORE', epochsKey, epoch))
    silentMs = score and math.max(clock - score, 0) or false
    if silentMs and silentMs >= nodeTimeoutMs then silentMs = false end
    silences[epoch] = silentMs
  end
  return silentMs
end

local function isAlive(epoch)
  return silenceOf(epoch) ~= false
end

-- Slots ------------------------------------------------------------------------------------------------------------

local function isClaim(text)
  return #text == 19 and not find(text, '[^0-9a-z]')
end

-- The slot without the dead: nil if nobody is left. What has another format is occupied, and stays as it is.
local function liveSlot(text)
  if isClaim(text) then return isAlive(sub(text, 1, 10)) and text or nil end
  local holder, pending = sub(text, 1, 19), sub(text, 21)
  if sub(text, 20, 20) ~= '>' or not isClaim(holder) or not isClaim(pending) then return text end
  local isHeld = isAlive(sub(holder, 1, 10))
  if isAlive(sub(pending, 1, 10)) then return isHeld and text or pending end
  return isHeld and holder or nil
end

-- A user: how many live slots there are, those that cannot be read included, and the live slot of one thread. Writes
-- nothing: what is to be written for the dead is in `stale`.
local function readUser(key, field)
  local stored, total, own = call('HGETALL', key), 0, nil
  local stale
  for index = 2, #stored, 2 do
    local text, name = stored[index], stored[index - 1]
    local live = text
    -- Nearly all are claims of epochs that were asked for already.
    if #text ~= 19 or not silences[sub(text, 1, 10)] then
      live = liveSlot(text)
      if live ~= text then
        stale = stale or {}
        stale[name] = live or false
      end
    end
    if live then
      total = total + 1
      if name == field then own = live end
    end
  end
  return { key = key, stored = stored, total = total, own = own, stale = stale }
end

local function dropDead(user)
  if not user.stale then return end
  for field, text in pairs(user.stale) do
    if text then call('HSET', user.key, field, text) else call('HDEL', user.key, field) end
  end
end

-- Whether the others that hold slots of the user are told when the total comes to this, or falls below it.
local function isLevel(levels, total)
  return find(',' .. levels .. ',', ',' .. total .. ',', 1, true) ~= nil
end
