-- book.lua: turn a message in flight into an unacknowledged one, in one step.
--   KEYS[1]  messages in flight of one queue
--   KEYS[2]  hash, delivery tag -> JSON [message, exchange, routing key] (kombu's own format)
--   KEYS[3]  sorted set, delivery tag -> seconds since the epoch (kombu's own format, but the server's clock)
--   ARGV     the message as fetched, delivery tag, the message as booked ("" = as fetched), rest of the JSON value
-- Returns 1, or 0 if the message is no longer in flight: it was offered again and is somebody else's now.
if redis.call("LREM", KEYS[1], 1, ARGV[1]) == 0 then
  return 0
end
local t = redis.call("TIME")
local body = ARGV[3] == "" and ARGV[1] or ARGV[3]
redis.call("HSET", KEYS[2], ARGV[2], "[" .. body .. "," .. ARGV[4] .. "]")
redis.call("ZADD", KEYS[3], t[1] + t[2] / 1000000, ARGV[2])
return 1
