-- remake(key): make a hash anew. One that ever had a long value, or many fields, stays four times as large as what is left in it needs.
local LONG = 64  -- characters of a value beyond which the server gives up a hash's short form

local function remake(key)
  local fields = redis.call("HGETALL", key)
  redis.call("DEL", key)
  if fields[1] then redis.call("HSET", key, unpack(fields)) end
end
