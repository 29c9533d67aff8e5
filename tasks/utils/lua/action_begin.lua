-- action_begin: write down what somebody asks to be done to incidents, and be the one who does it; a second delivery of the same request is told.
--   K.action(id)      wish (JSON), asked (ms), ends (ms), durable, state open|done|failed, tries, token, until, why; <step>:<target> -> answer (JSON)
--   K.actions_due     id -> end of the lease, where it is durable: whoever dies over it is followed by another
--   K.actions_ended   what is not durable stands there from the beginning: nobody follows whoever dies over it.
--                     What ended a week ago goes, and beyond ten thousand the oldest
--   ARGV              id, token, lease (ms), wish as JSON, "1" if durable, ms until it is given up
-- Returns 1 if the caller is to carry it out; 0 if it has ended or is in other hands.
-- include: clock
-- include: wake
local KEPT, KEPT_FOR, MOST_FORGOTTEN = 10000, 604800000, 100
local id, at = ARGV[1], now()
local row = K.action(id)
if redis.call("HSETNX", row, "state", "open") == 1 then
  local asked = string.format("%d", at)
  redis.call("HSET", row, "wish", ARGV[4], "asked", asked, "ends", string.format("%d", at + ARGV[6]), "durable", ARGV[5], "tries", 0)
  local outdated = redis.call("ZCOUNT", K.actions_ended, "-inf", at - KEPT_FOR)
  local surplus = math.min(math.max(redis.call("ZCARD", K.actions_ended) - KEPT, outdated), MOST_FORGOTTEN)
  if surplus > 0 then
    for _, old in ipairs(redis.call("ZRANGE", K.actions_ended, 0, surplus - 1)) do redis.call("DEL", K.action(old)) end
    redis.call("ZREMRANGEBYRANK", K.actions_ended, 0, surplus - 1)
  end
else
  local state, lease_end = unpack(redis.call("HMGET", row, "state", "until"))
  if state ~= "open" or tonumber(lease_end or 0) > at then return 0 end
end
local lease_end = at + ARGV[3]
redis.call("HSET", row, "token", ARGV[2], "until", string.format("%d", lease_end))
if ARGV[5] == "1" then due_at(K.actions_due, id, lease_end) else redis.call("ZADD", K.actions_ended, at, id) end
return 1
