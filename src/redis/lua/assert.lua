-- assert: the caller has these claims, whatever Redis has kept of them.
--
-- KEYS  m, e, log, then for each claim the hash of its user; the same hash may come more than once
-- ARGV  the head (see the prelude)
--       5 cursor   the id of the last entry of the log that the caller has applied
--       then for each claim: field of the thread, claim of the caller's epoch, '1' if its connection is open, else '0'
-- Reply { 'ok', index ... }   the claims that are lost, counted from 0
--       { 'unknown' }         the caller's epoch is not alive
--
-- A claim whose thread has no slot gets one beyond any limit: it had one. Unless an entry `moved` after the cursor
-- names it: then the thread went elsewhere and ended there, and the claim is lost. A slot that cannot be read stays
-- as it is, and a claim of its thread is not lost by that.
-- Never: takes the place of a newer claim.

if not isAlive(ownEpoch) then return { 'unknown' } end

-- (slots.lua)

-- The value of an entry; the last, if there are more with that name.
local function valueOf(texts, name)
  for index = #texts - 1, 1, -2 do
    if texts[index] == name then return texts[index + 1] end
  end
  return ''
end

local function nameOf(userId, field, stamp)
  return stamp .. digits(#field) .. ':' .. field .. userId
end

-- The claims of the caller's process that moved.
local function readMoved()
  local names, process = {}, sub(ownEpoch, 1, 8)
  for _, entry in ipairs(call('XRANGE', logKey, '(' .. ARGV[5], '+')) do
    local texts = entry[2]
    if valueOf(texts, 'p') == process and valueOf(texts, 't') == 'moved' then
      names[nameOf(valueOf(texts, 'u'), valueOf(texts, 'f'), valueOf(texts, 'c'))] = true
    end
  end
  return names
end

local moved

local function isMoved(user, field, claim)
  moved = moved or readMoved()
  return moved[nameOf(userIdOf(user.key), field, claim.stamp)] == true
end

local function assert(user, field, claim, isOpen)
  if slotOf(user, field) then return place(user, field, claim, isOpen) end
  if isMoved(user, field, claim) then return false end
  if not slotsOf(user)[field] then putSlot(user, field, claim) end
  return true
end

local users, reply = {}, { 'ok' }
for index = 0, #KEYS - 4 do
  local key, offset = KEYS[4 + index], 6 + 3 * index
  if not users[key] then
    users[key] = readUser(key)
    dropDead(users[key])
  end
  local isHeld = assert(users[key], ARGV[offset], parseClaim(ARGV[offset + 1]), ARGV[offset + 2] == '1')
  if not isHeld then reply[#reply + 1] = index end
end
for key in pairs(users) do
  call('PEXPIRE', key, ttlMs)
end
return reply
