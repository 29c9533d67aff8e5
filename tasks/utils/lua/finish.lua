-- finish: record what came of one attempt, after the response; a result is never written before it is known.
--   K.lane(lane), K.leases, K.outbox_due, K.event(id), K.alert(uid), K.resting, K.failing, K.sends(key id), K.queued, K.closed, K.dead, K.ledger, K.hints, K.wake, K.breaker(endpoint), K.receipts, K.receipts_due
--   ARGV   lane, token, id, outcome, reason, channel, key id, delay (ms), unclear ("1" = it may have arrived all the same), next channel or "", most attempts,
--          endpoint, what the attempt tells of it and the rules of its breaker (see lib/breaker.lua), how PagerDuty is looked at for
--          what it took (see lib/receipt.lua; "" = not at all)
-- Outcomes: sent · retry (same again after delay) · pause (the key rests for delay; does not count as an attempt) · minimal (again in minimal form)
--           · refused (this place will never take it: next channel, or dead letter when there is none; with a delay the key itself stops for so long).
-- A caller whose lease was taken over may still report `sent`; anything else of it is ignored. Returns 1 if recorded.
-- include: clock
-- include: ledger
-- include: hint
-- include: close
-- include: wake
-- include: breaker
-- include: group
-- include: failing
-- include: receipt
local lane, token, id, outcome, reason, channel, key_id = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local delay, unclear, next_channel, most_attempts = tonumber(ARGV[8]), ARGV[9] == "1", ARGV[10], tonumber(ARGV[11])
local REPEAT_AFTER = 60000  -- milliseconds until a resolve that followed an unclear attempt is sent once more
local LOOK = 100  -- entries of a lane, no more: the server has others to serve
local at = now()
report_call(ARGV[12], token .. " " .. lane, ARGV[13], ARGV[14], at)
local mine = redis.call("HGET", K.leases, lane) == token
if not mine and outcome ~= "sent" then return 0 end

local again = string.sub(id, 1, 1) == "~"
local bare = again and string.sub(id, 2) or id
local event = K.event(bare)
local fields = redis.call("HMGET", event, "uid", "action", "state", "attempts", "members", "alert", "severity")
local uid, action, state, attempts, members = fields[1], fields[2], fields[3], tonumber(fields[4] or 0), fields[5]
local which = fields[4] or "late"  -- of an event whose story has ended nobody counts them any more
if not uid then return 0 end
local alert = K.alert(uid)
local place = channel .. "|" .. key_id
note_try(place, outcome, reason, delay, at)
redis.call("ZADD", K.sends(key_id), "XX", at, bare .. " " .. attempts)  -- it may have arrived as late as now: its minute begins here
local takes_one_place = action == "trigger" or action == "change"  -- the others go wherever the alert may be open

local function release(due)  -- the lane falls due again, or ends when nothing is left on it
  if not mine then return end
  redis.call("HDEL", K.leases, lane)
  if redis.call("LLEN", K.lane(lane)) == 0 then
    redis.call("ZREM", K.outbox_due, lane)
    lane_is_free(lane, at)
    return
  end
  due_at(K.outbox_due, lane, due)
  if due <= at then hint("delivery", at) end
end

local function begun_anew()  -- whether a trigger of the next episode waits already
  for _, other in ipairs(redis.call("LRANGE", K.lane(lane), 0, LOOK)) do
    if redis.call("HGET", K.event(other), "action") == "trigger" then return true end
  end
  return false
end

local function is_for_people()  -- whom a bundle told once need not be told again
  return members and select(4, spec_of(uid))
end

local function told(by)  -- the story of what was sent ends; of a bundle, those of its members
  if state == "sent" then return end
  local waits = action == "trigger" and ARGV[15] ~= "" and await_receipt(fields[6] or uid, key_id, {lane = lane, id = bare, is_bundle = members,
    channel = channel, next = next_channel, endpoint = ARGV[12], severity = fields[7] or ""}, ARGV[15], at)
  if members and not waits then redis.call("HDEL", event, "members") end
  close(bare, at, "sent", by, waits)
  local folds = members and redis.call("HGET", alert, "folds") == "1"  -- a summary takes in what it tells of
  for member in string.gmatch(members or "", "[^\n]+") do
    heard(member, false)
    close(member, at, folds and "merged" or "sent", folds and "storm" or by, waits)
    record(at, member, folds and "merged" or "sent", folds and "storm" or by, bare)
    if folds then redis.call("HSET", K.event(member), "into", bare) end
  end
end

local function resolved()  -- every place has the resolve: the alert's episode is over
  for _, field in ipairs(redis.call("HKEYS", alert)) do
    if string.sub(field, 1, 3) == "on:" then redis.call("HDEL", alert, field) end
  end
  local was_unclear = redis.call("HGET", alert, "unclear") == "1"
  redis.call("HDEL", alert, "unclear")
  if not begun_anew() then redis.call("HDEL", alert, "episode") end
  if was_unclear and mine and not is_for_people() and redis.call("LLEN", K.lane(lane)) == 0 then
    redis.call("HSET", event, "last_place", place, "attempts", attempts)
    redis.call("RPUSH", K.lane(lane), "~" .. bare)
    return at + REPEAT_AFTER
  end
  return at
end

local function done_with(how)  -- this place has answered; true while another place still waits for the event
  redis.call("HSET", event, "done:" .. place, how)
  for _, field in ipairs(redis.call("HKEYS", alert)) do
    if string.sub(field, 1, 3) == "on:" and redis.call("HEXISTS", event, "done:" .. string.sub(field, 4)) == 0 then return true end
  end
  return false
end

local function off_lane(due)
  redis.call("LREM", K.lane(lane), 1, id)
  release(due)
end

local function die(of, detail)
  each_told(bare, function(one) redis.call("HSET", K.event(one), "channel", channel) end)
  bury(bare, at, of, detail)
end

local function over()  -- every place has answered an acknowledge or resolve: sent if one of them took it, and none that has it open refused to end it
  local taken, left_open
  for _, field in ipairs(redis.call("HKEYS", event)) do
    if string.sub(field, 1, 5) == "done:" then
      local where = string.sub(field, 6)
      local how = redis.call("HGET", event, field)
      if how == "sent" then taken = where end
      if how == "refused" and action == "resolve" and redis.call("HGET", alert, "on:" .. where) == "sent" then left_open = where end
    end
  end
  redis.call("LREM", K.lane(lane), 1, id)
  if taken and left_open then
    die("still_open", left_open)
    taken = nil
  elseif taken then
    local bar = string.find(taken, "|", 1, true)
    record(at, bare, "sent", string.sub(taken, 1, bar - 1), which)
    told(string.sub(taken, 1, bar - 1))
  else
    die(reason, channel)
  end
  release(action == "resolve" and taken and resolved() or at)
end

local function sent()
  if again then
    record(at, bare, "repeated", channel)
    return off_lane(at)
  end
  if takes_one_place then
    record(at, bare, "sent", channel, which)
    if action == "trigger" then redis.call("HSET", alert, "on:" .. place, "sent") end
    told(channel)
    return off_lane(at)
  end
  if done_with("sent") then
    record(at, bare, "partly_sent", channel, which)
    return release(at)
  end
  over()
end

local function refused()
  if delay > 0 then redis.call("HSET", K.resting, "stop:" .. key_id, string.format("%d", at + delay)) end
  if again then return off_lane(at) end
  if takes_one_place then
    if next_channel ~= "" then
      redis.call("HSET", event, "channel", next_channel, "claims", 0, "minimal", "")
      record(at, bare, "next_channel", reason, next_channel)
      return release(at)
    end
    die(reason, channel)
    return off_lane(at)
  end
  record(at, bare, "refused", reason, channel)
  if done_with("refused") then
    redis.call("HSET", event, "claims", 0)
    return release(at)
  end
  over()
end

local function once_more()
  if again then return off_lane(at) end  -- a repeat is a courtesy: it is not tried twice
  if attempts >= most_attempts then
    die("attempts_used_up", reason)
    return off_lane(at)
  end
  redis.call("HSET", event, "claims", 0, "failed_place", place)
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
  release(at)  -- the next look sees that the key rests, and for how long this alert may wait for it
else
  once_more()
end
return 1
