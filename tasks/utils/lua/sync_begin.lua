-- sync_begin: let one caller at a time compare with PagerDuty; called again, it keeps the turn.
--   K.sync   holder (token), until (ms), report (of the last run, JSON)
--   ARGV     token, lease (milliseconds)
-- Returns 1 if it is the caller's turn, and the time (ms).
-- include: clock
local token, lease = ARGV[1], tonumber(ARGV[2])
local at = now()
local held = redis.call("HMGET", K.sync, "holder", "until")
local left = held[1] and held[1] ~= token and tonumber(held[2]) - at or 0
if left > 0 and left <= lease then return {0, at} end  -- one with more left than there can be is from before the clock was set back
redis.call("HSET", K.sync, "holder", token, "until", string.format("%d", at + lease))
return {1, at}
