-- finish: record what came of one attempt, after the response; a result is never written before it is known.
--   K.lane(lane), K.leases, K.outbox_due, K.event(id), K.alert(uid), K.resting, K.queued, K.closed, K.dead, K.ledger, K.hints, K.wake
--   ARGV   lane, token, id, outcome, reason, channel, key id, delay (ms), unclear ("1" = it may have arrived all the same), next channel or "", most attempts
-- Outcomes: sent · retry (same again after delay) · pause (the key rests for delay; does not count as an attempt) · minimal (again in minimal form)
--           · refused (this place will never take it: next channel, or dead letter when there is none; with a delay the key itself stops for so long).
-- A caller whose lease was taken over may still report `sent`; anything else of it is ignored. Returns 1 if recorded.
-- include: clock
-- include: ledger
-- include: hint
-- include: close
-- include: wake
local lane, token, id, outcome, reason, channel, key_id = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local delay, unclear, next_channel, most_attempts = tonumber(ARGV[8]), ARGV[9] == "1", ARGV[10], tonumber(ARGV[11])
local REPEAT_AFTER = 60000  -- milliseconds until a resolve that followed an unclear attempt is sent once more
local at = now()
local mine = redis.call("HGET", K.leases, lane) == token
if not mine and outcome ~= "sent" then return 0 end

local again = string.sub(id, 1, 1) == "~"
local bare = again and string.sub(id, 2) or id
local event = K.event(bare)
local fields = redis.call("HMGET", event, "uid", "action", "state", "attempts")
local uid, action, state, attempts = fields[1], fields[2], fields[3], tonumber(fields[4] or 0)
if not uid then return 0 end
local alert = K.alert(uid)
local place = channel .. "|" .. key_id

local function release(due)  -- the lane falls due again, or ends when nothing is left on it
  if not mine then return end
  redis.call("HDEL", K.leases, lane)
  if redis.call("LLEN", K.lane(lane)) == 0 then
    redis.call("ZREM", K.outbox_due, lane)
    return
  end
  due_at(K.outbox_due, lane, due)
  if due <= at then hint("delivery", at) end
end

local function resolved()  -- every place has the resolve: the alert's episode is over
  for _, field in ipairs(redis.call("HKEYS", alert)) do
    if string.sub(field, 1, 3) == "on:" then redis.call("HDEL", alert, field) end
  end
  local was_unclear = redis.call("HGET", alert, "unclear") == "1"
  redis.call("HDEL", alert, "episode", "unclear")
  if was_unclear and mine and redis.call("LLEN", K.lane(lane)) == 0 then
    redis.call("HSET", event, "last_place", place)
    redis.call("RPUSH", K.lane(lane), "~" .. bare)
    return at + REPEAT_AFTER
  end
  return at
end

local function places_left()
  for _, field in ipairs(redis.call("HKEYS", alert)) do
    if string.sub(field, 1, 3) == "on:" and redis.call("HGET", event, "done:" .. string.sub(field, 4)) ~= "1" then return true end
  end
  return false
end

local function sent()
  record(at, bare, "sent", channel, again and "repeat" or tostring(attempts))
  if again then
    redis.call("LREM", K.lane(lane), 1, id)
    return release(at)
  end
  if action == "trigger" then
    redis.call("HSET", alert, "on:" .. place, "sent")
  else
    redis.call("HSET", event, "done:" .. place, "1")
    if places_left() then return release(at) end
  end
  redis.call("LREM", K.lane(lane), 1, id)
  if state == "queued" then close(bare, at, "sent", channel) end
  release(action == "resolve" and resolved() or at)
end

local function refused()
  if delay > 0 then redis.call("HSET", K.resting, "stop:" .. key_id, string.format("%d", at + delay)) end
  if not again and action == "trigger" and next_channel ~= "" then
    redis.call("HSET", event, "channel", next_channel, "claims", 0, "minimal", "")
    record(at, bare, "next_channel", reason, next_channel)
    return release(at)
  end
  redis.call("LREM", K.lane(lane), 1, id)
  if not again then bury(bare, at, reason, channel) end
  release(at)
end

local function once_more()
  if again then  -- a repeat is a courtesy: it is not tried twice
    redis.call("LREM", K.lane(lane), 1, id)
    return release(at)
  end
  if attempts >= most_attempts then
    redis.call("LREM", K.lane(lane), 1, id)
    bury(bare, at, "attempts_used_up", reason)
    return release(at)
  end
  redis.call("HSET", event, "claims", 0)
  if outcome == "minimal" then redis.call("HSET", event, "minimal", "1") end
  record(at, bare, outcome == "minimal" and "adapted" or "retry", reason, channel)
  release(at + delay)
end

if action == "trigger" and outcome ~= "sent" then
  if unclear then
    redis.call("HSET", alert, "on:" .. place, "unclear", "unclear", "1")
  elseif redis.call("HGET", alert, "on:" .. place) == "try" then
    redis.call("HDEL", alert, "on:" .. place)  -- refused for certain, and no earlier attempt is in doubt
  end
end

if outcome == "sent" then
  sent()
elseif outcome == "refused" then
  refused()
elseif outcome == "pause" then
  redis.call("HSET", K.resting, "pause:" .. key_id, string.format("%d", at + delay))
  redis.call("HINCRBY", event, "attempts", -1)
  redis.call("HSET", event, "claims", 0)
  record(at, bare, "retry", reason, channel)
  release(at + delay)
else
  once_more()
end
return 1
