-- sweep: the safety net. An event that waits in the outbox while its lane has no due time would wait for ever: give the lane one.
-- And call for whatever is due, should every pump have died.
-- News of a group waits in the group's buffer instead, with the due time of the group.
--   K.queued, K.untold, K.event(id), K.lane(lane), K.outbox_due, K.inbox_due, K.holds_due, K.groups_due, K.buffer(group), K.alert(group), K.ledger, K.hints
--   ARGV   only events accepted this long ago (milliseconds), offset, how many to look at
-- Returns events looked at, events mended.
-- include: clock
-- include: ledger
-- include: hint
-- include: group
local at = now()
local before = at - ARGV[1]
local mended = 0

local function mend(id, what)
  record(at, id, "swept", what)
  mended = mended + 1
end

local function waits_its_turn(lane)  -- for a key's budget, see lib/budget.lua
  local place = redis.call("HGET", K.parking, lane)
  return place and redis.call("ZSCORE", K.parked(place), lane) and redis.call("ZSCORE", K.keys_due, string.match(place, "^[^|]*"))
end

local function look_at_lane(id)
  local lane = redis.call("HGET", K.event(id), "lane")
  if not lane then return redis.call("ZREM", K.queued, id) end
  if redis.call("ZSCORE", K.outbox_due, lane) or waits_its_turn(lane) then return end
  if not redis.call("LPOS", K.lane(lane), id) then redis.call("RPUSH", K.lane(lane), id) end
  redis.call("ZADD", K.outbox_due, at, lane)
  mend(id, "lane_without_due_time")
end

local function look_at_group(id)
  local group = redis.call("HGET", K.event(id), "group")
  if not group then return redis.call("ZREM", K.untold, id) end
  local known = redis.call("HMGET", K.alert(group), "service", "waits")
  local lane = group .. "@" .. (known[1] or "")
  local waits_in_turn = known[2] and redis.call("EXISTS", K.lane(lane)) == 1  -- for the bundle before it, which calls for the next
  if waits_in_turn or redis.call("ZSCORE", K.groups_due, lane) then return end
  if not redis.call("LPOS", K.buffer(group), id) then redis.call("RPUSH", K.buffer(group), id) end
  redis.call("HDEL", K.alert(group), "waits")
  due_for_bundle(lane, at, at)
  mend(id, "group_without_due_time")
end

local ids = redis.call("ZRANGEBYSCORE", K.queued, "-inf", before, "LIMIT", ARGV[2], ARGV[3])
local untold = redis.call("ZRANGEBYSCORE", K.untold, "-inf", before, "LIMIT", ARGV[2], ARGV[3])
for _, id in ipairs(ids) do look_at_lane(id) end
for _, id in ipairs(untold) do look_at_group(id) end
for set, kind in pairs({[K.inbox_due] = "alert", [K.holds_due] = "alert", [K.outbox_due] = "delivery", [K.keys_due] = "delivery", [K.groups_due] = "digest",
  [K.webhooks_due] = "webhook", [K.lookups] = "webhook"}) do
  local due = set == K.inbox_due and "+inf" or at  -- in the inbox the time is a place, no more
  if redis.call("ZCOUNT", set, "-inf", due) > 0 then hint(kind, at) end
end
return {math.max(#ids, #untold), mended}
