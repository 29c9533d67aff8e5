-- lookups_put: have these incidents asked for, or take them off; see lookups_claim.lua.
--   K.lookups, K.lookup_tries   see keys.py
--   ARGV                        delay (ms; "" = take them off), "NX" (what has a due time keeps it) or "", ids
-- include: clock
-- include: wake
local delay, only_new = tonumber(ARGV[1]), ARGV[2] == "NX"
local at = now()
for i = 3, #ARGV do
  if not delay then
    redis.call("ZREM", K.lookups, ARGV[i])
    redis.call("HDEL", K.lookup_tries, ARGV[i])
  elseif not (only_new and redis.call("ZSCORE", K.lookups, ARGV[i])) then
    due_at(K.lookups, ARGV[i], at + delay)
  end
end
