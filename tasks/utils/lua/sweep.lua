-- sweep: the safety net. An event that waits in the outbox while its lane has no due time would wait for ever: give the lane one.
-- And call for whatever is due, should every pump have died.
--   K.queued, K.event(id), K.lane(lane), K.outbox_due, K.inbox_due, K.holds_due, K.ledger, K.hints
--   ARGV   only events accepted this long ago (milliseconds), offset, how many to look at
-- Returns events looked at, events mended.
-- include: clock
-- include: ledger
-- include: hint
local at = now()
local ids = redis.call("ZRANGEBYSCORE", K.queued, "-inf", at - ARGV[1], "LIMIT", ARGV[2], ARGV[3])
local mended = 0
for _, id in ipairs(ids) do
  local lane = redis.call("HGET", K.event(id), "lane")
  if not lane then
    redis.call("ZREM", K.queued, id)
  elseif not redis.call("ZSCORE", K.outbox_due, lane) then
    if not redis.call("LPOS", K.lane(lane), id) then redis.call("RPUSH", K.lane(lane), id) end
    redis.call("ZADD", K.outbox_due, at, lane)
    record(at, id, "swept", "lane_without_due_time")
    mended = mended + 1
  end
end
for set, queue in pairs({[K.inbox_due] = "alert", [K.holds_due] = "alert", [K.outbox_due] = "delivery"}) do
  local due = set == K.inbox_due and "+inf" or at  -- in the inbox the time is a place, no more
  if redis.call("ZCOUNT", set, "-inf", due) > 0 then hint(queue, at) end
end
return {#ids, mended}
