-- joins_group(lane, id, event, destination, group, spec, labels, at): the trigger at the head of a lane is told together with others from now on,
--   at another destination; what follows its alert goes there too, and to where the alert may be open already.
-- include: close
-- include: group
local function add_route(event, destination, place)  -- what follows the alert goes there, too
  local own = event.alert or event.uid
  local lines = redis.call("HGET", K.alert(own), "routes") or event.service .. " " .. own .. "\n"
  local line = destination .. " " .. place .. "\n"
  if not string.find("\n" .. lines, "\n" .. line, 1, true) then redis.call("HSET", K.alert(own), "routes", lines .. line) end
end

local function joins_group(lane, id, event, destination, group, spec, labels, at)
  local is_there = string.match(lane, "@(.*)$") == destination
  local place = is_there and event.uid or string.sub(redis.sha1hex(event.uid .. ">" .. destination), 1, 32)
  redis.call("HSET", K.alert(place), "copy_of", event.alert or event.uid, "service", destination,
    "dedup_key", redis.call("HGET", K.alert(event.uid), "dedup_key"), "status", "open", "newest", id)
  redis.call("ZADD", K.alerts, at, place)
  group_at(destination, group, spec, labels, at)
  lead_to(place, group)
  add_route(event, destination, place)
  redis.call("LPOP", K.lane(lane))
  redis.call("ZREM", K.queued, id)
  redis.call("HDEL", K.event(id), "lane", "channel")
  redis.call("HSET", K.event(id), "uid", place, "group", group)
  tell(id, place, group, group .. "@" .. destination, event.source == "escalation", at)
end
