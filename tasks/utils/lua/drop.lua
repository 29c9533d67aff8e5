-- drop: give a dead letter up for good. A person does this: its story ends as suppressed, by the rule `dropped`.
--   K.dead, K.event(id), K.queued, K.closed, K.ledger
--   ARGV   id, who and why, only if it died by then (ms; "" = whenever)
-- Returns 1, or 0 when the id is no dead letter (any more).
-- include: clock
-- include: ledger
-- include: close
local id = ARGV[1]
local died = redis.call("ZSCORE", K.dead, id)
if not died or ARGV[3] ~= "" and tonumber(died) > tonumber(ARGV[3]) then return 0 end
local at = now()
close(id, at, "suppressed", "dropped")
record(at, id, "suppressed", "dropped", ARGV[2])
return 1
