-- count_delivery: note that a message which came back from a dead worker is handed to one again.
--   K.deliveries(id)   n (how often), since (when that happened first, ms)
--   ARGV               id of the message, seconds after which the count is forgotten
-- Returns n, since.
-- include: clock
local key = K.deliveries(ARGV[1])
redis.call("HSETNX", key, "since", string.format("%d", now()))
local count = redis.call("HINCRBY", key, "n", 1)
redis.call("EXPIRE", key, ARGV[2])
return {count, redis.call("HGET", key, "since")}
