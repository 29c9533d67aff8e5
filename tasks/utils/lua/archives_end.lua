-- archives_end: remember what a machine's list of archives ends with; machines that were silent for long are forgotten.
--   K.log_archives  hash: machine -> hash of the newest link of its list
--   K.log_machines  sorted set: machine -> when that was, ms
--   ARGV            machine, hash ("" where its list is empty), after how long a machine is forgotten (ms)
-- include: clock
local at = now()
redis.call("HSET", K.log_archives, ARGV[1], ARGV[2])
redis.call("ZADD", K.log_machines, at, ARGV[1])
for _, machine in ipairs(redis.call("HKEYS", K.log_archives)) do
  redis.call("ZADD", K.log_machines, "NX", at, machine)
end
for _, machine in ipairs(redis.call("ZRANGEBYSCORE", K.log_machines, "-inf", at - ARGV[3])) do
  redis.call("HDEL", K.log_archives, machine)
  redis.call("ZREM", K.log_machines, machine)
end
