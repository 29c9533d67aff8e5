-- archive_events: forget events whose story ended before the retention began and is sealed. Dead letters stay until replayed.
--   K.closed, K.event(id)   oldest first, see lib/shrink.lua; an event that is not closed (any more) only leaves the list
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
local seen, forgotten = 0, 0
for _, ended in ipairs(redis.call("LRANGE", K.closed, 0, ARGV[2] - 1)) do
  local at, id = string.match(ended, "^(%d+) (.*)$")
  if tonumber(at) > old then break end
  local state = redis.call("HGET", K.event(id), "state")
  if state ~= "queued" and state ~= "dead" then
    redis.call("DEL", K.event(id))
    forgotten = forgotten + 1
  end
  seen = seen + 1
end
if seen > 0 then redis.call("LTRIM", K.closed, seen, -1) end
return {seen, forgotten}
