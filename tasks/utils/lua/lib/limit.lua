-- Limits: so much in a time and no more, whoever asks (the generic cell rate algorithm: one number says how much is spent).
--   K.limit(name)   tat (the moment at which nothing is spent any more, ms), rests_until (the other side asked for a pause until then, ms),
--                   slower (ms for one, where the other side allows less than we thought), interval, burst (as last asked with, for people to read)
--   K.limits        name -> when it was last used
-- take_from(name, interval, burst, cost, at): 0 and `cost` is taken; or nothing is, and so many ms are to be waited. `interval`: ms for one; `burst`: how many
--   at once after a rest. Within any time T no more than burst + T / interval are given.
local LONGEST_REST = 600000  -- milliseconds

local function take_from(name, interval, burst, cost, at)
  local key = K.limit(name)
  local known = redis.call("HMGET", key, "tat", "rests_until", "slower")
  local tat, rests_until = tonumber(known[1] or 0), tonumber(known[2] or 0)
  interval = math.max(interval, tonumber(known[3] or 0))
  if rests_until > at and rests_until - at <= LONGEST_REST then return rests_until - at end
  if tat > at + burst * interval then  -- later than there can be: the clock was set back, or the rate is higher now
    tat = at + burst * interval
    redis.call("HSET", key, "tat", string.format("%.3f", tat))
  end
  tat = math.max(tat, at)
  local spent = tat + cost * interval
  local wait = spent - burst * interval - at
  if wait > 0 then return math.ceil(wait) end
  redis.call("HSET", key, "tat", string.format("%.3f", spent), "interval", interval, "burst", burst)
  redis.call("ZADD", K.limits, string.format("%d", at), name)
  return 0
end
