-- cache_put: end a computation: keep its value if the caller still holds the lock, and wake those who wait for it.
--   K.cached(name), K.cache_done(name)
--   ARGV   name, token, value ("" = keep nothing), fresh for (ms), stale for (ms), longest wait of a caller (ms), tags, a line each
-- A caller whose lock lapsed may hold an older truth than the one who took over: its value is not kept. Returns 1 if it held the lock.
-- include: clock
local name, token, value, tags = ARGV[1], ARGV[2], ARGV[3], ARGV[7]
local fresh_for, stale_for, wait_for = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local entry = K.cached(name)
local found = redis.call("HMGET", entry, "lock", "began")
if found[1] ~= token then return 0 end
local at = now()
redis.call("HDEL", entry, "lock", "lock_until", "began")
if value ~= "" then
  redis.call("HSET", entry, "value", value, "made", found[2], "tags", tags,
    "fresh_until", string.format("%d", at + fresh_for), "stale_until", string.format("%d", at + fresh_for + stale_for))
  redis.call("PEXPIRE", entry, fresh_for + stale_for + wait_for)
end
redis.call("RPUSH", K.cache_done(name), "1")
redis.call("PEXPIRE", K.cache_done(name), wait_for)
return 1
