-- epoch_at(at): when this data set began (ms, as text), declared now if nobody has, and 1 if so: then the server is new, or lost everything.
local function epoch_at(at)
  local fresh = redis.call("SETNX", K.epoch, string.format("%d", at))
  return redis.call("GET", K.epoch), fresh
end
