-- lookups_claim: hand everything to be asked for to one caller, once any of it is due: one look at PagerDuty's pages serves all.
--   K.lookups, K.lookup_tries     see keys.py; what is not parked any more leaves them
--   K.parked_news
--   ARGV                          most incidents, lease (ms)
-- Returns id, first sign of it (ms), tries; and again for each. Nothing if nothing is due.
-- include: clock
local at = now()
if redis.call("ZCOUNT", K.lookups, "-inf", at) == 0 then return {} end
local found = {}
for _, id in ipairs(redis.call("ZRANGE", K.lookups, 0, ARGV[1] - 1)) do
  local text = redis.call("HGET", K.parked_news, id)
  if text then
    redis.call("ZADD", K.lookups, string.format("%d", at + ARGV[2]), id)
    local parts = {id, string.format("%d", cjson.decode(text).seen), tostring(redis.call("HINCRBY", K.lookup_tries, id, 1))}
    for _, part in ipairs(parts) do found[#found + 1] = part end
  else
    redis.call("ZREM", K.lookups, id)
    redis.call("HDEL", K.lookup_tries, id)
  end
end
return found
