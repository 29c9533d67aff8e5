-- epoch_at(at): when this data set began (ms, as text), declared now if nobody has, and 1 if so: then the server is new, or lost everything.
-- The versions of its rules begin there, too: a process that remembers rules of a data set before must not take them for these.
local function epoch_at(at)
  local fresh = redis.call("SETNX", K.epoch, string.format("%d", at))
  if fresh == 1 then redis.call("SET", K.rules_version, string.format("%d", at)) end
  return redis.call("GET", K.epoch), fresh
end
