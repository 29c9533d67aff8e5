-- begin: the last look before a send. Skips by name what the world has overtaken, picks the place to send to, books the attempt.
--   K.leases, K.outbox_due        only the holder of the lease may begin
--   K.lane(lane), K.event(id), K.alert(uid), K.paused, K.stopped, K.queued, K.closed, K.dead, K.ledger, K.wake
--   ARGV   lane, token, lease (milliseconds, renewed here), most claims without outcome, deadline per severity as JSON (milliseconds),
--          then channel, key id for each channel of the service in order
-- Returns {"send", id, action, channel, key id, minimal, attempts, body, ms until the next channel may take over or -1} | {"wait"} | {"empty"} | {"lost"}.
-- include: clock
-- include: ledger
-- include: close
-- include: wake
local lane, token, lease, most_claims, deadlines = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), cjson.decode(ARGV[5])
local FIRST = 6  -- where the channels begin in ARGV
local at = now()
if redis.call("HGET", K.leases, lane) ~= token then return {"lost"} end

local function give_back(due)
  redis.call("HDEL", K.leases, lane)
  due_at(K.outbox_due, lane, due)
  return {"wait"}
end

local function skip(id, state, reason, into)
  redis.call("LPOP", K.lane(lane))
  close(id, at, state, reason)
  if into then redis.call("HSET", K.event(id), "into", into) end
  record(at, id, state, reason, into)
end

local function later(action)  -- does an event of this kind stand behind the head?
  for _, id in ipairs(redis.call("LRANGE", K.lane(lane), 1, -1)) do
    if redis.call("HGET", K.event(id), "action") == action then return id end
  end
end

local function places(alert)  -- where the alert may be open: "on:<channel>|<key id>"
  local found = {}
  for _, field in ipairs(redis.call("HKEYS", alert)) do
    if string.sub(field, 1, 3) == "on:" then found[#found + 1] = string.sub(field, 4) end
  end
  table.sort(found)
  return found
end

local function channel_after(name)  -- index of the channel `name`; the first one if it is gone or unset
  for i = FIRST, #ARGV, 2 do if ARGV[i] == name then return i end end
  return FIRST
end

local function overtaken(id, action, alert)  -- true when the head was skipped
  if action == "trigger" then
    if later("resolve") then skip(id, "suppressed", "resolved_before_send") return true end
    local next_id = redis.call("LINDEX", K.lane(lane), 1)
    if next_id and redis.call("HGET", K.event(next_id), "action") == "trigger" then
      skip(id, "merged", "superseded", next_id)
      return true
    end
  elseif #places(alert) == 0 and redis.call("HGET", alert, "episode") == "1" then
    skip(id, "suppressed", "nothing_was_sent")
    if action == "resolve" then redis.call("HDEL", alert, "episode", "unclear") end
    return true
  end
  return false
end

local function head_to_send()  -- the first event nothing has overtaken, or nil
  while true do
    local id = redis.call("LINDEX", K.lane(lane), 0)
    if not id then return nil end
    local again = string.sub(id, 1, 1) == "~"  -- a resolve sent once more, see finish.lua
    local bare = again and string.sub(id, 2) or id
    local event = redis.call("HMGET", K.event(bare), "action", "uid")
    if not event[1] or again and redis.call("LLEN", K.lane(lane)) > 1 then
      redis.call("LPOP", K.lane(lane))
    elseif again or not overtaken(id, event[1], K.alert(event[2])) then
      if redis.call("HINCRBY", K.event(bare), "claims", 1) <= most_claims then return id, bare end
      redis.call("LPOP", K.lane(lane))
      if not again then bury(id, at, "poison", "its worker died " .. most_claims .. " times in mid-delivery") end
    end
  end
end

local function until_when(set, key_id)
  return tonumber(redis.call("HGET", set, key_id) or 0)
end

local function open_place(id, bare, event, alert)  -- where an acknowledge or resolve must go next
  if id ~= bare then return event.last_place end
  for _, place in ipairs(places(alert)) do
    if event["done:" .. place] ~= "1" then return place end
  end
end

local function place_for(id, bare, event, alert)  -- channel, key id, and when a trigger may move on to the next channel (or nil)
  if event.action ~= "trigger" then
    local place = open_place(id, bare, event, alert)
    if not place then return ARGV[FIRST], ARGV[FIRST + 1] end
    local bar = string.find(place, "|", 1, true)
    return string.sub(place, 1, bar - 1), string.sub(place, bar + 1)
  end
  local i = channel_after(event.channel)
  if not ARGV[i + 2] then return ARGV[i], ARGV[i + 1] end
  local deadline = tonumber(event.accepted) + (deadlines[event.severity] or 0)
  local stopped = until_when(K.stopped, ARGV[i + 1]) > at
  local held = tonumber(event.attempts) > 0 or until_when(K.paused, ARGV[i + 1]) > at
  if not stopped and (at < deadline or not held) then return ARGV[i], ARGV[i + 1], deadline end
  record(at, id, "next_channel", stopped and "key_stopped" or "deadline_passed", ARGV[i + 2])
  redis.call("HSET", K.event(id), "channel", ARGV[i + 2])
  return ARGV[i + 2], ARGV[i + 3]
end

if not ARGV[FIRST] then return give_back(at + 60000) end  -- the service is not configured here: somebody else may know it
local id, bare = head_to_send()
if not id then
  redis.call("ZREM", K.outbox_due, lane)
  redis.call("HDEL", K.leases, lane)
  return {"empty"}
end
local event = {}
local flat = redis.call("HGETALL", K.event(bare))
for i = 1, #flat, 2 do event[flat[i]] = flat[i + 1] end
local alert = K.alert(event.uid)
local channel, key_id, deadline = place_for(id, bare, event, alert)
local paused_until = math.max(until_when(K.paused, key_id), until_when(K.stopped, key_id))
if paused_until > at then
  redis.call("HINCRBY", K.event(bare), "claims", -1)
  return give_back(math.min(paused_until, deadline or paused_until))
end
if event.action == "trigger" then
  local place = "on:" .. channel .. "|" .. key_id
  if redis.call("HGET", alert, place) == "try" then redis.call("HSET", alert, place, "unclear", "unclear", "1") end  -- its worker died
  redis.call("HSETNX", alert, place, "try")
end
redis.call("ZADD", K.outbox_due, at + lease, lane)
local attempts = redis.call("HINCRBY", K.event(bare), "attempts", 1)
record(at, bare, "attempt", channel, tostring(attempts))
local body = event.body or cjson.encode({event_action = event.action, dedup_key = redis.call("HGET", alert, "dedup_key")})
return {"send", id, event.action, channel, key_id, event.minimal or "", attempts, body, deadline and deadline - at or -1}
