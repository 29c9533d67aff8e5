-- factor_try: count one more code of a person before it is looked at, so that many at once are not more tries.
--   K.factor(person)  hash: tries, locks, locked_until (ms), step, used_at (ms)
--   ARGV              person, tries there are, first lock-out (ms), longest lock-out (ms)
-- Returns 0 if it may be looked at, else when that is so again (ms). The last try locks at once; a right code unlocks.
-- include: clock
local row = K.factor(ARGV[1])
local at = now()
local locked = tonumber(redis.call("HGET", row, "locked_until") or 0)
if locked > at then return locked end
if redis.call("HINCRBY", row, "tries", 1) >= tonumber(ARGV[2]) then
  local locks = redis.call("HINCRBY", row, "locks", 1)
  local span = math.min(ARGV[3] * 2 ^ math.min(locks - 1, 20), tonumber(ARGV[4]))
  redis.call("HSET", row, "tries", 0, "locked_until", string.format("%.0f", at + span))
end
return 0
