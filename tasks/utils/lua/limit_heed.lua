-- limit_heed: take the other side's word for how much of a limit is left.
--   K.limit(name), K.limits   see lib/limit.lua
--   ARGV   name, ms for one, most at once, ms of rest it asks for ("" = none), how many are left ("" = not said), ms for one as it says ("" = not said)
-- include: clock
-- include: limit
local name, interval, burst = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local rest, left, theirs = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local key = K.limit(name)
local at = now()
if rest then redis.call("HSET", key, "rests_until", string.format("%d", at + math.min(rest, LONGEST_REST))) end
if theirs and theirs > interval then
  interval = theirs
  redis.call("HSET", key, "slower", theirs)
elseif theirs then
  redis.call("HDEL", key, "slower")
end
if left and left < burst then
  local tat = tonumber(redis.call("HGET", key, "tat") or 0)
  redis.call("HSET", key, "tat", string.format("%.3f", math.max(tat, at + (burst - left) * interval)))
end
redis.call("HSET", key, "interval", interval, "burst", burst)
redis.call("ZADD", K.limits, string.format("%d", at), name)
