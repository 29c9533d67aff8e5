-- close(id, at, state, reason, is_kept): end an event's story in the outbox. All of it is kept only where somebody may need it again.
-- bury(id, at, reason, detail): close as a dead letter; a later alert like it must not be merged into the dead one, nor may it inhibit others.
-- each_told(id, do): call `do` with every event of which `id` tells: the members of a bundle, which shares its fate with them; else itself.
-- end_story(id, at, state, reason, detail): close, with the ledger's last word; of a bundle, those of its members.
-- include: ledger
-- include: inhibit
-- include: shrink
local function close(id, at, state, reason, is_kept)
  redis.call("ZREM", K.queued, id)
  redis.call("ZREM", K.dead, id)
  if state ~= "dead" and not is_kept then return shrink(id, at, state, reason) end
  redis.call("HSET", K.event(id), "state", state, "reason", reason)
end

local function heard(id, is_dead)  -- what the readers of a bundle know of its member now
  local action, place, group, bundle = unpack(redis.call("HMGET", K.event(id), "action", "uid", "group", "bundle"))
  if not bundle then return end
  if action == "trigger" and not is_dead then redis.call("HSET", K.alert(place), "heard:" .. group, 1) end
  if action ~= "resolve" then return end
  redis.call("HDEL", K.alert(place), "ending:" .. group)
  if not is_dead then redis.call("HDEL", K.alert(place), "heard:" .. group) end
end

local function each_told(id, tell_of)
  local members = redis.call("HGET", K.event(id), "members")
  if not members then return tell_of(id) end
  for member in string.gmatch(members, "[^\n]+") do tell_of(member) end
end

local function bury_one(id, at, reason, detail)
  close(id, at, "dead", reason)
  redis.call("HSET", K.event(id), "detail", detail or "")
  redis.call("ZADD", K.dead, at, id)
  heard(id, true)
  local known = redis.call("HMGET", K.event(id), "alert", "uid")
  local uid = known[1] or known[2]
  if uid and redis.call("HGET", K.alert(uid), "last_id") == id then
    redis.call("HDEL", K.alert(uid), "last_id", "last_sign", "last_at")
    feed(uid, "", at)
  end
  record(at, id, "dead", reason, detail)
end

local function dissolve(id, at, reason)  -- a bundle is no alert: it ends with its members, and is no dead letter of its own
  if redis.call("HEXISTS", K.event(id), "members") == 0 then return end
  close(id, at, "dissolved", reason)
  record(at, id, "dissolved", reason)
end

local function bury(id, at, reason, detail)
  each_told(id, function(one) bury_one(one, at, reason, detail) end)
  dissolve(id, at, reason)
end

local function end_story(id, at, state, reason, detail)
  each_told(id, function(one)
    heard(one, false)
    close(one, at, state, reason)
    record(at, one, state, reason, detail)
  end)
  dissolve(id, at, reason)
end
