-- give_back.lua: return one message in flight to its queue, as the next to be consumed.
--   KEYS[1]  messages in flight of one queue
--   KEYS[2]  the queue (producers push on the left, consumers take from the right)
--   ARGV     the message
if redis.call("LREM", KEYS[1], 1, ARGV[1]) == 1 then
  redis.call("RPUSH", KEYS[2], ARGV[1])
end
