-- revocation_put: refuse tokens from now on.
--   K.revocations          name -> the revocation as JSON
--   K.revocations_reach    name -> its reach: up to when tokens were issued that it is about (ms)
--   K.revocations_until    name -> when it is forgotten (ms); those past that go here
--   K.revocations_version  changed with every change, so that gateways read the list again
--   ARGV                   name, JSON, when it is forgotten (ms), its reach (ms), most there may be
-- Returns 1; 0 if the list is full. Of two with one name the one that reaches further stays.
-- include: clock
for _, old in ipairs(redis.call("ZRANGEBYSCORE", K.revocations_until, "-inf", now(), "LIMIT", 0, 1000)) do
  redis.call("ZREM", K.revocations_until, old)
  redis.call("HDEL", K.revocations, old)
  redis.call("HDEL", K.revocations_reach, old)
end
local known = redis.call("HGET", K.revocations_reach, ARGV[1])
if known and tonumber(known) >= tonumber(ARGV[4]) then return 1 end
if not known and redis.call("ZCARD", K.revocations_until) >= tonumber(ARGV[5]) then return 0 end
redis.call("HSET", K.revocations, ARGV[1], ARGV[2])
redis.call("HSET", K.revocations_reach, ARGV[1], ARGV[4])
redis.call("ZADD", K.revocations_until, ARGV[3], ARGV[1])
-- The time, not a count: a server that lost everything must not come by a version that somebody knows from before.
redis.call("SET", K.revocations_version, math.max(now(), tonumber(redis.call("GET", K.revocations_version) or 0) + 1))
return 1
