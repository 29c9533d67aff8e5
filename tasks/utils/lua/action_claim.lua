-- action_claim: lease the action on incidents that is due longest to one caller.
--   K.actions_due, K.action(id)   due times, the rows
--   K.hints, queue escalation     if more are due, one more worker is called in
--   ARGV                          token of the caller, lease (ms)
-- Returns its id, or nothing.
-- include: clock
-- include: hint
local at = now()
local due = redis.call("ZRANGEBYSCORE", K.actions_due, "-inf", at, "LIMIT", 0, 2)
answered("action")
if #due > 1 then more_hands("action", at) end
local id = due[1]
if not id then return false end
if redis.call("HGET", K.action(id), "state") ~= "open" then
  redis.call("ZREM", K.actions_due, id)
  hint("action", at)
  return false
end
local lease_end = string.format("%d", at + ARGV[2])
redis.call("ZADD", K.actions_due, lease_end, id)
redis.call("HSET", K.action(id), "token", ARGV[1], "until", lease_end)
return id
