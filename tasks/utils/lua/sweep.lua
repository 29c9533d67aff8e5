-- sweep: the safety net. An event that waits in the outbox while its lane has no due time would wait for ever: give the lane one.
-- And call for whatever is due, should every pump have died.
-- News of a group waits in the group's buffer instead, with the due time of the group.
--   K.queued, K.event(id), K.lane(lane), K.outbox_due, K.inbox_due, K.holds_due, K.groups_due, K.buffer(group), K.alert(group), K.ledger, K.hints
--   ARGV   only events accepted this long ago (milliseconds), offset, how many to look at
-- Returns events looked at, events mended.
-- include: clock
-- include: ledger
-- include: hint
-- include: group
local at = now()
local ids = redis.call("ZRANGEBYSCORE", K.queued, "-inf", at - ARGV[1], "LIMIT", ARGV[2], ARGV[3])
local mended = 0

local function told_in_time(group)  -- whether the group of this news has a due time; else it gets one
  local known = redis.call("HMGET", K.alert(group), "service", "waits")
  local lane = group .. "@" .. (known[1] or "")
  local is_waiting = known[2] and redis.call("EXISTS", K.lane(lane)) == 1  -- for the bundle before it, which calls for the next
  if is_waiting or redis.call("ZSCORE", K.groups_due, lane) then return true end
  redis.call("HDEL", K.alert(group), "waits")
  due_for_bundle(lane, at, at)
  return false
end

for _, id in ipairs(ids) do
  local lane, group, bundle = unpack(redis.call("HMGET", K.event(id), "lane", "group", "bundle"))
  if group and not bundle then
    local stands = redis.call("LPOS", K.buffer(group), id)
    if not stands then redis.call("RPUSH", K.buffer(group), id) end
    if not told_in_time(group) or not stands then
      record(at, id, "swept", "group_without_due_time")
      mended = mended + 1
    end
  elseif not lane then
    redis.call("ZREM", K.queued, id)
  elseif not redis.call("ZSCORE", K.outbox_due, lane) then
    if not redis.call("LPOS", K.lane(lane), id) then redis.call("RPUSH", K.lane(lane), id) end
    redis.call("ZADD", K.outbox_due, at, lane)
    record(at, id, "swept", "lane_without_due_time")
    mended = mended + 1
  end
end
for set, kind in pairs({[K.inbox_due] = "alert", [K.holds_due] = "alert", [K.outbox_due] = "delivery", [K.groups_due] = "digest"}) do
  local due = set == K.inbox_due and "+inf" or at  -- in the inbox the time is a place, no more
  if redis.call("ZCOUNT", set, "-inf", due) > 0 then hint(kind, at) end
end
return {#ids, mended}
