-- action_end: let go of an action on incidents: it has come to its end, or is carried on with later.
--   K.action(id), K.actions_due, K.actions_ended, K.wake
--   ARGV   id, token, state (done | failed | open), why, ms to wait where it is open
-- Returns 1; 0 where the lease is somebody else's by now.
-- include: clock
-- include: wake
local id, state = ARGV[1], ARGV[3]
local row, at = K.action(id), now()
if redis.call("HGET", row, "token") ~= ARGV[2] then return 0 end
redis.call("HDEL", row, "token", "until")
redis.call("HSET", row, "state", state, "why", ARGV[4])
if state == "open" then
  redis.call("HINCRBY", row, "tries", 1)
  due_at(K.actions_due, id, at + ARGV[5])
else
  redis.call("HSET", row, "ended", string.format("%d", at))
  redis.call("ZREM", K.actions_due, id)
  redis.call("ZADD", K.actions_ended, at, id)
end
return 1
