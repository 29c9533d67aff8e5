-- claim: lease due lanes to exactly one caller. A claimed lane falls due again at its lease's end.
--   K.outbox_due, K.leases    lanes and who holds them
--   K.lane(lane), K.event(id) to name the service whose channels the caller must look up
--   K.hints, queue delivery   this claim answers the hint; if lanes remain, one more drain is called in
--   ARGV                      most lanes, lease (milliseconds), token of the caller
-- Returns lane, service; and again for each lane.
-- include: clock
-- include: hint
local at = now()
answered("delivery")
local lanes = redis.call("ZRANGEBYSCORE", K.outbox_due, "-inf", at, "LIMIT", 0, ARGV[1])
local claimed = {}
for _, lane in ipairs(lanes) do
  local head = redis.call("LINDEX", K.lane(lane), 0)
  if head then
    redis.call("ZADD", K.outbox_due, at + ARGV[2], lane)
    redis.call("HSET", K.leases, lane, ARGV[3])
    claimed[#claimed + 1] = lane
    claimed[#claimed + 1] = redis.call("HGET", K.event((string.gsub(head, "^~", ""))), "service") or ""
  else
    redis.call("ZREM", K.outbox_due, lane)
    redis.call("HDEL", K.leases, lane)
  end
end
if #lanes > 0 and redis.call("ZCOUNT", K.outbox_due, "-inf", at) > 0 then more_hands("delivery", at) end
return claimed
