-- archive_entries: take sealed ledger entries older than the retention out of the stream. The archive has them.
--   K.seal     id: nothing behind it is touched; trimmed: set to the last id taken out
--   K.ledger   trimmed from its old end; the age is the entry's own time (the one clock), not its id's
--   ARGV       retention (milliseconds), most entries
-- Returns how many were taken out.
-- include: clock
local sealed = redis.call("HGET", K.seal, "id")
if not sealed then return 0 end
local old = now() - ARGV[1]
local last
local count = 0
for _, entry in ipairs(redis.call("XRANGE", K.ledger, "-", sealed, "COUNT", ARGV[2])) do
  local at
  for i = 1, #entry[2], 2 do if entry[2][i] == "t" then at = tonumber(entry[2][i + 1]) end end
  if at and at > old then break end
  last = entry[1]
  count = count + 1
end
if not last then return 0 end
local ms, number = string.match(last, "^(%d+)-(%d+)$")
redis.call("XTRIM", K.ledger, "MINID", ms .. "-" .. string.format("%d", number + 1))
redis.call("HSET", K.seal, "trimmed", last)
return count
