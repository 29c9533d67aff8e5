-- escalation_end: end an escalation by a named reason.
--   ARGV   uid, fence ("" = whatever it is), state (done | cancelled), reason, an event id ("" = none): resolve the alert under that id, too
-- Returns 1 if that ended it, 0 if it was over, or somebody else has changed it since.
-- include: clock
-- include: escalation
-- include: inbox
local uid, fence, state, reason, event = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local at = now()
if fence ~= "" and redis.call("HGET", K.escalation(uid), "fence") ~= fence then return 0 end
if not end_escalation(uid, at, state, reason) then return 0 end
if event ~= "" then
  local service, dedup_key = unpack(redis.call("HMGET", K.alert(uid), "service", "dedup_key"))
  local news = {service = service, event_action = "resolve", dedup_key = dedup_key}
  into_inbox(event, at, string.format("%d", at), "escalation", cjson.encode(news))
end
return 1
