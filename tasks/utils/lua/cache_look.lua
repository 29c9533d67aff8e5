-- cache_look: what is cached under a name, and who computes it anew where that is due.
--   K.cached(name), K.cache_done(name), K.cache_tag(tag)
--   ARGV   name, token of the caller, how long it may take to compute (ms)
-- A value counts while it is younger than its time and no tag of it was invalidated since its computation began. A stale one is
-- past its time, but was not invalidated. Returns what to do, and the value where there is one:
--   hit, value · compute (the caller holds the lock now) · stale, value (somebody else computes) · wait (the same, without a value).
-- include: clock
local name, token, lock_for = ARGV[1], ARGV[2], tonumber(ARGV[3])
local at = now()
local entry = K.cached(name)
local found = redis.call("HMGET", entry, "value", "made", "fresh_until", "stale_until", "tags", "lock", "lock_until")
local value, made, fresh_until, stale_until, tags = found[1], tonumber(found[2]), tonumber(found[3]), tonumber(found[4]), found[5]

if value then
  for tag in string.gmatch(tags, "[^\n]+") do
    local invalidated = tonumber(redis.call("GET", K.cache_tag(tag)) or 0)
    if made <= invalidated then value = false end
  end
end
if value and at < fresh_until then return {"hit", value} end
if value and at >= stale_until then value = false end

if found[6] and at < tonumber(found[7]) then
  if value then return {"stale", value} end
  return {"wait"}
end
redis.call("HSET", entry, "lock", token, "lock_until", string.format("%d", at + lock_for), "began", string.format("%d", at))
redis.call("DEL", K.cache_done(name))
if redis.call("PTTL", entry) < lock_for * 2 then redis.call("PEXPIRE", entry, lock_for * 2) end  -- hygiene: what nobody asks for goes
return {"compute"}
