-- action_note: keep what became of an action's steps, and renew the lease of whoever carries it out.
--   K.action(id), K.actions_due
--   ARGV   id, token, lease (ms), then step and answer (JSON) in turns
-- Returns 1; 0 where the lease is somebody else's by now, and nothing was written: stop, it is in other hands.
-- include: clock
local row, at = K.action(ARGV[1]), now()
if redis.call("HGET", row, "token") ~= ARGV[2] then return 0 end
local lease_end = string.format("%d", at + ARGV[3])
redis.call("HSET", row, "until", lease_end)
for i = 4, #ARGV, 2 do redis.call("HSET", row, ARGV[i], ARGV[i + 1]) end
redis.call("ZADD", K.actions_due, "XX", lease_end, ARGV[1])
return 1
