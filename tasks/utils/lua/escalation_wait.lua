-- escalation_wait: let an escalation wait: paused for a reason, or put off.
--   ARGV   uid, fence ("" = whatever it is), reason, until when (ms; "" = until somebody resumes it), ms left to its next step then ("" = what is left now),
--          a text for people: who wants it
-- Returns 1 if it waits, 0 if it is not running, or somebody else has changed it since.
-- include: clock
-- include: escalation
local uid, fence, reason, till, left, told = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6]
local row = K.escalation(uid)
local state, known = unpack(redis.call("HMGET", row, "state", "fence"))
if state ~= "running" or fence ~= "" and known ~= fence then return 0 end
stop_escalation(uid, now(), "paused", reason, till)
if left ~= "" then redis.call("HSET", row, "left", left) end
if told ~= "" then redis.call("HSET", row, "told", told) end
return 1
