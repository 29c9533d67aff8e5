-- now(): the one clock, in whole milliseconds: the server's TIME plus an offset that only tests set (K.clock).
local function now()
  local t = redis.call("TIME")
  return t[1] * 1000 + math.floor(t[2] / 1000) + tonumber(redis.call("GET", K.clock) or 0)
end
