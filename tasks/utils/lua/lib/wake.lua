-- due_at(set, id, at): give a row its due time; if it is now the earliest of its set, end the pumps' sleep (K.wake).
local MOST_TOKENS = 4

local function due_at(set, id, at)
  redis.call("ZADD", set, at, id)
  local first = redis.call("ZRANGE", set, 0, 0)[1]
  if first == id then
    redis.call("LPUSH", K.wake, "1")
    redis.call("LTRIM", K.wake, 0, MOST_TOKENS - 1)
  end
end
