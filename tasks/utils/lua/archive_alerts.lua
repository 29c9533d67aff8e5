-- archive_alerts: forget alerts that are over (resolved everywhere) and older than the retention, or silent for very long.
--   K.alerts, K.alert(uid), K.members(uid)   uid -> time of its last news; one page a call, going round
--   K.lane(lane), K.leases   an alert with anything still to be sent is kept (its lane: `<uid>@<service>`)
--                            or held back is kept too; one that is forgotten does not inhibit any more
--   K.wired, K.incidents, K.answers   what leads from PagerDuty to an alert goes with it
--   K.seal                   look: where the next call goes on
--   ARGV                     retention (milliseconds), silence (milliseconds), most alerts
-- Returns how many were looked at, how many were forgotten.
-- include: clock
-- include: inhibit
-- include: hint
-- include: wire
-- include: escalation
local at = now()
local retention, silence, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local offset = tonumber(redis.call("HGET", K.seal, "look") or 0)

local function is_at_rest(lane)
  return redis.call("EXISTS", K.lane(lane)) == 0 and redis.call("HEXISTS", K.leases, lane) == 0
end

local found = redis.call("ZRANGEBYSCORE", K.alerts, "-inf", at - retention, "WITHSCORES", "LIMIT", offset, most)
local forgotten = 0
for i = 1, #found, 2 do
  local uid, news = found[i], tonumber(found[i + 1])
  local fields = redis.call("HMGET", K.alert(uid), "status", "episode", "service", "held")
  local is_over = fields[1] == "resolved" and not fields[2]
  if (is_over or at - news >= silence) and not fields[4] and is_at_rest(uid .. "@" .. (fields[3] or "")) then
    feed(uid, "", at)
    unwire(uid, at)
    forget_escalation(uid, at)
    redis.call("DEL", K.alert(uid), K.members(uid))
    redis.call("ZREM", K.alerts, uid)
    redis.call("HDEL", K.labels, uid)
    forgotten = forgotten + 1
  end
end
local seen = #found / 2
redis.call("HSET", K.seal, "look", seen < most and 0 or offset + seen - forgotten)
return {seen, forgotten}
