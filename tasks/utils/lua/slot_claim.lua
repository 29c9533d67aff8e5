-- slot_claim: give one scheduled run (entry and due time) to exactly one message.
--   K.slots        entry@due -> task id that claimed it; the same task id may claim again (a redelivered message)
--   K.slot_times   entry@due -> time of the claim; slots older than ARGV[3] are forgotten here
--   ARGV           slot, task id, how long slots are remembered (milliseconds)
-- Returns 1 if the run is yours.
-- include: clock
local at = now()
for _, old in ipairs(redis.call("ZRANGEBYSCORE", K.slot_times, "-inf", at - ARGV[3], "LIMIT", 0, 100)) do
  redis.call("ZREM", K.slot_times, old)
  redis.call("HDEL", K.slots, old)
end
if redis.call("HSETNX", K.slots, ARGV[1], ARGV[2]) == 1 then
  redis.call("ZADD", K.slot_times, at, ARGV[1])
  return 1
end
return redis.call("HGET", K.slots, ARGV[1]) == ARGV[2] and 1 or 0
