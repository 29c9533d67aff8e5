-- Storm: more alerts wait for one key than it may send in a minute. The least urgent and oldest are told in summaries, one of each service and
-- severity at the destination `<destination>:storm`: growing alerts as those of groups. They are merged once a summary that names them was taken.
-- fold_least_urgent(key, limit, mine, at): fold one alert if too many wait; its lane, or nil. `mine`: the lane the caller holds.
-- include: join
-- include: budget
local SUMMARIES = "5000 500 0 0"  -- how news of a summary is told, see lib/group.lua

local function fold(lane, mine, at)
  if lane ~= mine and redis.call("HEXISTS", K.leases, lane) == 1 or redis.call("LLEN", K.lane(lane)) ~= 1 then return nil end
  local id = redis.call("LINDEX", K.lane(lane), 0)
  local uid, alert, action, service, severity, members = unpack(
    redis.call("HMGET", K.event(id), "uid", "alert", "action", "service", "severity", "members"))
  if action ~= "trigger" or members then return nil end
  local destination = string.match(lane, "@(.*)$") .. ":storm"
  local group = string.sub(redis.sha1hex(destination .. ">" .. service .. ">" .. severity), 1, 32)
  local labels = cjson.encode({service = service, severity = severity})
  joins_group(lane, id, {uid = uid, alert = alert or nil, service = service}, destination, group, SUMMARIES, labels, at)
  redis.call("HSET", K.alert(group), "folds", 1)
  unpark(lane)
  redis.call("ZREM", K.outbox_due, lane)
  return lane
end

local function fold_least_urgent(key, limit, mine, at)
  local count, worst, rank = 0, nil, -1
  for _, team in ipairs(redis.call("ZRANGE", K.teams(key), 0, -1)) do
    local place = K.parked(key .. "|" .. team)
    count = count + redis.call("ZCARD", place)
    local last = redis.call("ZREVRANGE", place, 0, 0, "WITHSCORES")
    if last[1] and tonumber(last[2]) > rank then worst, rank = last[1], tonumber(last[2]) end
  end
  return count > limit and fold(worst, mine, at) or nil
end
