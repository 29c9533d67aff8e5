-- keystore_put: keep what is said of a rotated key, unless something newer is known.
--   K.keystore           name -> the key as JSON
--   K.keystore_version   changed with every change
--   ARGV                 name, JSON, its number
-- Returns 1 if it is kept, or was already; 0 if a newer one is there.
-- include: clock
local known = redis.call("HGET", K.keystore, ARGV[1])
if known then
  local number = cjson.decode(known).number
  if known == ARGV[2] then return 1 end
  if number >= tonumber(ARGV[3]) then return 0 end
end
redis.call("HSET", K.keystore, ARGV[1], ARGV[2])
-- The time, not a count: a server that lost everything must not come by a version that somebody knows from before.
redis.call("SET", K.keystore_version, string.format("%d", math.max(now(), tonumber(redis.call("GET", K.keystore_version) or 0) + 1)))
return 1
