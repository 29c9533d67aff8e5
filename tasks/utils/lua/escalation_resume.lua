-- escalation_resume: let an escalation go on.
--   ARGV   uid, fence ("" = whatever it is), reason, ms to its next step ("" = what was left when it stopped), "1" if its acknowledgement counts no longer: then its
--          alert is open again, and its policy begins anew
-- Returns 1 if it goes on, 0 if it is over, or somebody else has changed it since.
-- include: clock
-- include: escalation
local uid, fence, reason, left, is_open_again = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5] == "1"
if fence ~= "" and redis.call("HGET", K.escalation(uid), "fence") ~= fence then return 0 end
if is_open_again and redis.call("HGET", K.alert(uid), "status") == "acknowledged" then
  redis.call("HSET", K.alert(uid), "status", "open")
  redis.call("HDEL", K.alert(uid), "acknowledged_by_answer")
  redis.call("HSET", K.escalation(uid), "taken", 0)
end
return resume_escalation(uid, now(), reason, left ~= "" and left or nil) and 1 or 0
