-- escalation_mend: make the escalation of an alert fit the alert, where it does not. Safe at any time.
--   ARGV   uid, how it escalates (see lib/escalation.lua; "" = its service names no policy)
-- Returns what was mended: cancelled | stopped | resumed | revived (it had lost its due time) | started, or "" if all was well.
-- include: clock
-- include: escalation
local uid, at = ARGV[1], now()
local status, service, held, last, since = unpack(redis.call("HMGET", K.alert(uid), "status", "service", "held", "last_id", "since"))
local state = live_escalation(uid)

if state and status ~= "open" and status ~= "acknowledged" then
  end_escalation(uid, at, "cancelled", status or "alert_forgotten")
  return "cancelled"
elseif state == "running" and status == "acknowledged" then
  acknowledged_escalation(uid, at)
  return "stopped"
elseif state == "acknowledged" and status == "open" then
  unacknowledged_escalation(uid, at, "unacknowledged")
  return "resumed"
elseif state and not redis.call("ZSCORE", K.escalations_due, uid) then
  goes_on_at(uid, state == "running" and at or math.huge, at)
  return "revived"
elseif not state and not redis.call("HEXISTS", K.escalation(uid), "state") and redis.call("ZREM", K.escalations_due, uid) == 1 then
  return "cancelled"
elseif not state and status == "open" and last and not held and start_escalation(uid, service, since, at, ARGV[2]) then
  return "started"
end
return ""
