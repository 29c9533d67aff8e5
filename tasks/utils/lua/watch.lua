-- watch: let one sentinel at a time watch for the whole fleet. Taking the turn is a write: a server that refuses it takes no alerts either.
--   K.watch   token of the sentinel whose turn it is, and until when
--   ARGV      token of the caller, length of a turn (milliseconds)
-- Returns 1 if the turn is yours, and the time (ms).
-- include: clock
local token, turn = ARGV[1], tonumber(ARGV[2])
local at = now()
local held = redis.call("HMGET", K.watch, "token", "until")
local left = held[1] and held[1] ~= token and tonumber(held[2]) - at or 0
if left > 0 and left <= turn then return {0, at} end  -- one with more left than there can be is from before the clock was set back
redis.call("HSET", K.watch, "token", token, "until", string.format("%d", at + turn))
return {1, at}
