-- put_action(id, wish, give_up, at): ask for something to be done to incidents, once; whoever is free carries it out. See action_begin.lua.
-- include: wake
local function put_action(id, wish, give_up, at)
  local row = K.action(id)
  if redis.call("HSETNX", row, "state", "open") == 0 then return false end
  redis.call("HSET", row, "wish", wish, "asked", string.format("%d", at), "ends", string.format("%d", at + give_up), "durable", "1", "tries", 0)
  due_at(K.actions_due, id, string.format("%d", at))
  return true
end
