-- escalation_start: start the escalation of an alert that is open and has none.
--   ARGV   uid, spec (see lib/escalation.lua)
-- Returns 1 if it was started.
-- include: clock
-- include: escalation
local uid, at = ARGV[1], now()
local status, service, since = unpack(redis.call("HMGET", K.alert(uid), "status", "service", "since"))
return status == "open" and start_escalation(uid, service, since, at, ARGV[2]) and 1 or 0
