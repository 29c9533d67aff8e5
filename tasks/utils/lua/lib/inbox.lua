-- back_to_inbox(id, at, envelope): have an event decided on anew, under its own id; see inbox_put.lua for the envelope.
local function back_to_inbox(id, at, envelope)
  local newest = redis.call("ZRANGE", K.inbox_due, -1, -1, "WITHSCORES")[2]
  local due = math.max(at, newest and tonumber(newest) + 0.001 or 0)  -- several in one millisecond keep their order
  redis.call("DEL", K.event(id))
  redis.call("HSET", K.inbox, id, envelope)
  redis.call("ZADD", K.inbox_due, string.format("%.3f", due), id)
end
-- include: ledger
-- include: hint
-- into_inbox(id, at, received, source, alert): put an alert (JSON) there, unless its id is known; see inbox_put.lua. True if it is new.
local function into_inbox(id, at, received, source, alert)
  if redis.call("EXISTS", K.event(id)) == 1 or redis.call("HEXISTS", K.inbox, id) == 1 then return false end
  back_to_inbox(id, at, received .. "\n" .. source .. "\n" .. alert)
  record(at, id, "received", source)
  hint("alert", at)
  return true
end
