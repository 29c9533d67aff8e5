-- back_to_inbox(id, at, envelope): have an event decided on anew, under its own id; see inbox_put.lua for the envelope.
local function back_to_inbox(id, at, envelope)
  local newest = redis.call("ZRANGE", K.inbox_due, -1, -1, "WITHSCORES")[2]
  local due = math.max(at, newest and tonumber(newest) + 0.001 or 0)  -- several in one millisecond keep their order
  redis.call("DEL", K.event(id))
  redis.call("HSET", K.inbox, id, envelope)
  redis.call("ZADD", K.inbox_due, string.format("%.3f", due), id)
end
