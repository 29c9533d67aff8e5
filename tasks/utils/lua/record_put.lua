-- record_put: put one entry into a sealed stream, once.
--   K.ledger   the stream; fields as in lib/ledger.lua
--   K.known    sorted set: entry id|step -> when it was put, ms; see ARGV
--   ARGV       id of what it is about, step, reason, detail, time (ms; 0: now), how long to know it (milliseconds)
-- A caller that lost the answer asks again: the second time changes nothing.
-- Returns 1 if it was put now, 0 if it was there.
-- include: clock
local at = now()
if redis.call("ZADD", K.known, "NX", at, ARGV[1] .. "|" .. ARGV[2]) == 0 then return 0 end
redis.call("ZREMRANGEBYSCORE", K.known, "-inf", at - ARGV[6])
local t = tonumber(ARGV[5])
if t == 0 then t = at end
redis.call("XADD", K.ledger, "*", "e", ARGV[1], "s", ARGV[2], "r", ARGV[3], "d", ARGV[4], "t", string.format("%d", t))
return 1
