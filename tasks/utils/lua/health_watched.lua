-- health_watched: a sentinel has looked; count how long it has watched since the look before, and for how much of that the pulse came through.
--   K.watched             hash: at (when it was looked last, ms)
--   K.watched_days(day)   hash of one day since the epoch: watched, alive (ms); gone after 400 days
--   ARGV   whether the pulse comes through (1 or 0), the longest time between two looks that belong together (ms)
-- include: clock
local DAY, KEPT = 86400000, 34560000
local at = now()
local before = tonumber(redis.call("HGET", K.watched, "at") or at)
redis.call("HSET", K.watched, "at", string.format("%d", at))
local gap = at - before
if gap <= 0 or gap > tonumber(ARGV[2]) then return end
local day = K.watched_days(string.format("%d", math.floor(at / DAY)))
redis.call("HINCRBY", day, "watched", gap)
if ARGV[1] == "1" then redis.call("HINCRBY", day, "alive", gap) end
redis.call("EXPIRE", day, KEPT)
