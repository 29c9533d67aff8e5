-- close(id, at, state, reason): end an event's story in the outbox. Its body is kept only where somebody may need it again.
-- bury(id, at, reason, detail): close as a dead letter; a later alert like it must not be merged into the dead one, nor may it inhibit others.
-- include: inhibit
local function close(id, at, state, reason)
  redis.call("HSET", K.event(id), "state", state, "reason", reason, "ended", string.format("%d", at))
  redis.call("ZREM", K.queued, id)
  redis.call("ZREM", K.dead, id)
  if state ~= "dead" then
    redis.call("HDEL", K.event(id), "body")
    redis.call("ZADD", K.closed, at, id)
  end
end

local function bury(id, at, reason, detail)
  close(id, at, "dead", reason)
  redis.call("HSET", K.event(id), "detail", detail or "")
  redis.call("ZADD", K.dead, at, id)
  local known = redis.call("HMGET", K.event(id), "alert", "uid")
  local uid = known[1] or known[2]
  if uid and redis.call("HGET", K.alert(uid), "last_id") == id then
    redis.call("HDEL", K.alert(uid), "last_id", "last_sign", "last_at")
    feed(uid, "", at)
  end
  record(at, id, "dead", reason, detail)
end
