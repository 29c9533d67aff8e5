-- archive_events: forget events whose story ended before the retention began and is sealed. Dead letters stay until replayed.
--   K.closed, K.event(id)   oldest first; an event that is not closed (any more) only leaves the set
--   K.seal, K.ledger        only events that ended before the first entry that is not sealed yet
--   ARGV                    retention (milliseconds), most events
-- Returns how many were looked at, how many were forgotten.
-- include: clock
local sealed = redis.call("HGET", K.seal, "id")
if not sealed then return {0, 0} end
local old = now() - ARGV[1]
local unsealed = redis.call("XRANGE", K.ledger, "(" .. sealed, "+", "COUNT", 1)[1]
if unsealed then
  for i = 1, #unsealed[2], 2 do
    if unsealed[2][i] == "t" then old = math.min(old, tonumber(unsealed[2][i + 1]) - 1) end
  end
end
local ids = redis.call("ZRANGEBYSCORE", K.closed, "-inf", old, "LIMIT", 0, ARGV[2])
local forgotten = 0
for _, id in ipairs(ids) do
  local state = redis.call("HGET", K.event(id), "state")
  if state ~= "queued" and state ~= "dead" then
    redis.call("DEL", K.event(id))
    forgotten = forgotten + 1
  end
  redis.call("ZREM", K.closed, id)
end
return {#ids, forgotten}
