-- grant_begin: let a task begin with its grant, in time and only until it has come to an end once.
--   K.grants        id -> begun | done
--   K.grants_until  id -> when it is forgotten (ms); those past that go here
--   ARGV            id, good from (ms), good until (ms), when it is forgotten (ms)
-- Returns ok, used, late or early. One that has begun in time may begin again: its worker may have died.
-- include: clock
local at = now()
for _, old in ipairs(redis.call("ZRANGEBYSCORE", K.grants_until, "-inf", at, "LIMIT", 0, 100)) do
  redis.call("ZREM", K.grants_until, old)
  redis.call("HDEL", K.grants, old)
end
local state = redis.call("HGET", K.grants, ARGV[1])
if state == "done" then return "used" end
if at > tonumber(ARGV[4]) then return "late" end
if not state then
  if at < tonumber(ARGV[2]) then return "early" end
  if at > tonumber(ARGV[3]) then return "late" end
  redis.call("HSET", K.grants, ARGV[1], "begun")
  redis.call("ZADD", K.grants_until, ARGV[4], ARGV[1])
end
return "ok"
