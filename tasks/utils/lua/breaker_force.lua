-- breaker_force: a person decides how a breaker stands, until a moment; or gives it back to itself.
--   K.breaker(name), K.breakers, K.breaker_events   see lib/breaker.lua
--   ARGV   name, open | closed | released, for how long (milliseconds), author, comment
-- Given back, it stands as it did; one that was open and whose pause is over asks once. Returns until when (ms), or 0 if there was nothing to give back.
-- include: clock
-- include: breaker
local name, how, span, author, why = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]
local at = now()
local before = forced_to(name, at)
if how == "released" then
  redis.call("HDEL", K.breaker(name), "forced", "forced_since", "forced_until", "forced_by", "forced_why")
  if redis.call("HEXISTS", K.breaker(name), "open_until") == 0 then redis.call("HDEL", K.breaker(name), "waiting") end
  if before then note_breaker(name, at, "released", why, author) end
  if redis.call("EXISTS", K.breaker(name)) == 0 then redis.call("ZREM", K.breakers, name) end
  return before and at or 0
end
local till = at + span
redis.call("HSET", K.breaker(name), "forced", how, "forced_since", whole(at), "forced_until", whole(till), "forced_by", author, "forced_why", why, "waiting", 0)
note_breaker(name, at, "forced_" .. how, why, author)
return till
