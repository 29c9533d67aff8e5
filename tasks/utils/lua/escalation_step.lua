-- escalation_step: take one step of an escalation as a whole: the step, what it sends, when the next one is due. Takes effect once.
--   K.escalation(uid), K.escalations_due, K.escalation_counts   see lib/escalation.lua
--   K.alert(place), K.event(id), K.lane(lane), K.outbox_due, K.queued, K.alerts   its messages: triggers of the alert for further destinations
--   K.action(id), K.actions_due                                 what it has done at PagerDuty
--   ARGV   uid, fence, name of the step, whom it reaches (a text), next due (ms; "" = the policy has no more steps),
--          what it sends (JSON: events [{id, destination, place, body, severity, summary}], actions [{id, wish, ms until it is given up}])
-- What an acknowledge or resolve has overtaken ends or stops by that name. Returns taken | overtaken | resolved | acknowledged | forgotten.
-- include: clock
-- include: escalation
-- include: join
-- include: action
local uid, fence, name, whom, due = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local sends = cjson.decode(ARGV[6])
local at = now()
local stamp = string.format("%d", at)
local row = K.escalation(uid)
local state, known_fence, began = unpack(redis.call("HMGET", row, "state", "fence", "began"))
if state ~= "running" or known_fence ~= fence then return "overtaken" end
local status, service, dedup_key = unpack(redis.call("HMGET", K.alert(uid), "status", "service", "dedup_key"))
if status == "acknowledged" then
  acknowledged_escalation(uid, at)
  return status
elseif status ~= "open" then
  end_escalation(uid, at, "cancelled", status or "alert_forgotten")
  return status or "forgotten"
end

local function on_lane(id, lane, place)
  redis.call("HSET", K.event(id), "lane", lane)
  redis.call("ZADD", K.queued, stamp, id)
  if redis.call("RPUSH", K.lane(lane), id) == 1 then redis.call("ZADD", K.outbox_due, stamp, lane) end
  redis.call("HSET", K.alert(place), "episode", 1)
end

local function send(event)
  if redis.call("EXISTS", K.event(event.id)) == 1 then return end
  local place, lane = event.place, event.place .. "@" .. event.destination
  if place ~= uid then
    redis.call("HSET", K.alert(place), "copy_of", uid, "service", event.destination, "dedup_key", dedup_key, "status", "open")
    redis.call("ZADD", K.alerts, stamp, place)
  end
  add_route({uid = uid, service = service}, event.destination, place)
  redis.call("HSET", K.alert(place), "newest", event.id)
  redis.call("HSET", K.event(event.id), "state", "queued", "reason", "", "service", service, "action", "trigger", "severity", event.severity,
    "summary", event.summary, "source", "escalation", "received", stamp, "accepted", stamp, "attempts", 0, "uid", place, "alert", uid, "body", event.body)
  record(at, event.id, "accepted", "trigger", service .. " " .. uid .. " " .. event.severity)
  local group = redis.call("HGET", K.alert(place), "group")
  if not group then return on_lane(event.id, lane, place) end
  redis.call("HSET", K.event(event.id), "group", group)
  tell(event.id, place, group, group .. "@" .. event.destination, true, at)
end

redis.call("HINCRBY", row, "taken", 1)
redis.call("HINCRBY", row, "fence", 1)
redis.call("HDEL", row, "due", "told")
record(at, story_of(uid, began), "escalated", name, whom)
for _, event in ipairs(sends.events) do send(event) end
for _, action in ipairs(sends.actions) do put_action(action.id, action.wish, action.give_up, at) end
if #sends.events > 0 then hint("delivery", at) end
if #sends.actions > 0 then hint("action", at) end
if due == "" then
  end_escalation(uid, at, "done", "exhausted")
  redis.call("HINCRBY", K.escalation_counts, "exhausted", 1)
  redis.call("HSET", K.escalation_counts, "exhausted_at", stamp)
else
  goes_on_at(uid, tonumber(due), at)
end
return "taken"
