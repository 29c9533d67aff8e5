-- count(service, at): one more alert of this service in that minute (K.rates). Only looked at for a minute or two: the rest is hygiene.
local KEPT = 300  -- seconds

local function count(service, at)
  local rates = K.rates(string.format("%d", math.floor(at / 60000)))
  if redis.call("HINCRBY", rates, service, 1) == 1 then redis.call("EXPIRE", rates, KEPT) end
end
