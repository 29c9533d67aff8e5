-- restore_alert: make an open alert known again as a backup has it, with its timer. What this data set knows by itself stays as it is. Safe to run twice.
--   K.alert(uid), K.alerts, K.labels, K.members(group)   see accept.lua, lib/group.lua
--   K.answers, K.wired, K.incidents                      what PagerDuty said of its incidents, see lib/answer.lua
--   K.escalation(uid), K.escalations_due, K.policies, K.policy_uses   see lib/escalation.lua
--   K.event(id)   one event that stands for what was sent before; K.ledger, K.closed
--   ARGV   JSON: uid, alert (its hash), score, labels, answers (texts, "" = none), members (place -> status), escalation (its hash), due (ms or inf, "" = none),
--          policy (text); event (id of the one that stands for others, "" = none), detail (of the ledger entry), not_before (no timer is due before, ms from now)
-- Returns created | left.
-- include: clock
-- include: wire
-- include: shrink
-- include: escalation
local asked = cjson.decode(ARGV[1])
local uid, at = asked.uid, now()
local stamp, alert = string.format("%d", at), asked.alert
if redis.call("EXISTS", K.alert(uid)) == 1 then return "left" end

local function keep(key, fields)
  for name, value in pairs(fields) do redis.call("HSET", key, name, value) end
end

local function first_place()  -- channel it was sent by
  for name, value in pairs(alert) do
    local channel = value == "sent" and string.match(name, "^on:(.*)|")
    if channel then return channel end
  end
  return ""
end

local function tell()  -- the event that stands for what was sent before
  local channel = first_place()
  redis.call("HSET", K.event(asked.event), "state", "sent", "reason", channel, "uid", uid, "action", "trigger", "accepted", stamp)
  shrink(asked.event, at)
  record(at, asked.event, "accepted", "trigger", (alert.service or "") .. " " .. uid)
  record(at, asked.event, "rebuilt", channel, asked.detail)
  redis.call("HSET", K.alert(uid), "opened_by", asked.event, "last_id", asked.event)
end

local function wire_again()  -- what comes back from PagerDuty finds the alert
  redis.call("HSET", K.answers, uid, asked.answers)
  for key_id, known in pairs(cjson.decode(asked.answers)) do
    local line = key_id .. " " .. uid
    add_line(K.wired, wire_of(uid), line)
    for _, incident in ipairs({known.id or "", known.into or ""}) do
      if incident ~= "" then add_line(K.incidents, incident, line) end
    end
  end
end

local function escalate_again()
  local row, known = K.escalation(uid), asked.escalation
  if not known.state or redis.call("EXISTS", row) == 1 then return end
  -- Its policy had been forgotten when the backup was read: without times no timer, and none for others by the same policy.
  if asked.policy == "" and redis.call("HEXISTS", K.policies, known.policy) == 0 then return end
  if redis.call("HINCRBY", K.policy_uses, known.policy, 1) == 1 then redis.call("HSET", K.policies, known.policy, asked.policy) end
  keep(row, known)
  redis.call("HDEL", row, "due")
  redis.call("HINCRBY", row, "fence", 1)
  local due = asked.due == "inf" and math.huge or math.max(tonumber(known.due or asked.due), at + asked.not_before)
  record(at, story_of(uid, known.began), "resumed", "restored", due < math.huge and string.format("%d", due) or "")
  goes_on_at(uid, due, at)
end

keep(K.alert(uid), alert)
redis.call("ZADD", K.alerts, asked.score, uid)
if asked.labels ~= "" then redis.call("HSET", K.labels, uid, asked.labels) end
keep(K.members(uid), asked.members)
if asked.event ~= "" then tell() end
if asked.answers ~= "" then wire_again() end
escalate_again()
return "created"
