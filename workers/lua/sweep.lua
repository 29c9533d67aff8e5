-- sweep.lua: offer again what has been in flight for too long, because its consumer died or is stuck.
--   KEYS[1]  messages in flight of one queue, newest first
--   KEYS[2]  the queue (producers push on the left, consumers take from the right)
--   KEYS[3]  hash, SHA-1 of a message in flight -> when a sweep first saw it (milliseconds since the epoch)
--   KEYS[4+] lists of the same queue that only prioritised messages go to
--   ARGV     how long is too long (milliseconds), most prioritised messages to move per list
-- Returns how many messages were in flight for too long.
local t = redis.call("TIME")
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local waiting, back = {}, 0
for _, message in ipairs(redis.call("LRANGE", KEYS[1], 0, -1)) do
  local id = redis.sha1hex(message)
  local since = tonumber(redis.call("HGET", KEYS[3], id) or now)
  -- A time in the future means that the clock was set back.
  if now - since >= tonumber(ARGV[1]) or since > now then
    redis.call("LREM", KEYS[1], -1, message)
    redis.call("RPUSH", KEYS[2], message)
    back = back + 1
  else
    waiting[id] = since
  end
end
redis.call("DEL", KEYS[3])
for id, since in pairs(waiting) do
  redis.call("HSET", KEYS[3], id, since)
end

for i = 4, #KEYS do
  local left = tonumber(ARGV[2])
  while left > 0 and redis.call("LMOVE", KEYS[i], KEYS[2], "RIGHT", "LEFT") do
    left = left - 1
  end
end
return back
