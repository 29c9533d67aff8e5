-- act_put: put one entry on the record of acts, once.
--   K.acts        stream: e act id, s step, r action, d the rest as JSON, t time (ms)
--   K.acts_known  sorted set: act id|step -> when it was put, ms; of the last hour
--   ARGV          act id, step, action, the rest as JSON, time (ms; 0: now)
-- A caller that lost the answer asks again: the second time changes nothing.
-- Returns 1 if it was put now, 0 if it was there.
-- include: clock
local at = now()
local known = ARGV[1] .. "|" .. ARGV[2]
redis.call("ZREMRANGEBYSCORE", K.acts_known, "-inf", at - 3600000)
if redis.call("ZADD", K.acts_known, "NX", at, known) == 0 then return 0 end
local t = tonumber(ARGV[5])
if t == 0 then t = at end
redis.call("XADD", K.acts, "*", "e", ARGV[1], "s", ARGV[2], "r", ARGV[3], "d", ARGV[4], "t", string.format("%d", t))
return 1
