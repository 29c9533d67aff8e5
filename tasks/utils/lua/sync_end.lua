-- sync_end: give the turn back; of a run that came to its end, keep the report, and note that a loss has been made up for as far as can be.
--   K.sync, K.loss
--   ARGV     token, report (JSON; "" = it was broken off), when the run began (ms)
-- include: clock
if redis.call("HGET", K.sync, "holder") == ARGV[1] then redis.call("HDEL", K.sync, "holder", "until") end
if ARGV[2] == "" then return 0 end
redis.call("HSET", K.sync, "report", ARGV[2])
local noticed = redis.call("HGET", K.loss, "noticed")
if noticed and tonumber(noticed) <= tonumber(ARGV[3]) then redis.call("HSETNX", K.loss, "synced", string.format("%d", now())) end
return 1
