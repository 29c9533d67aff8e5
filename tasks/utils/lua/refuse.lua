-- refuse: dead-letter what cannot become an alert (invalid, unknown service, poison, undecodable), whole, with its reason.
--   K.event(id), K.dead, K.ledger; K.inbox* lose the row if it came from there
--   ARGV   id, body, reason, detail, source, received (ms; "" = it never was in the inbox)
-- Safe to run twice. Returns state, reason, "".
-- include: clock
-- include: ledger
-- include: close
-- include: known
local id, body, reason, detail, source, received = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local before = decided(id, received ~= "")
if before then return before end
local at = now()
local stamp = string.format("%d", at)
redis.call("HSET", K.event(id), "body", body, "source", source, "received", received == "" and stamp or received, "accepted", stamp, "attempts", 0)
record(at, id, "accepted", "refused")
bury(id, at, reason, detail)
return {"dead", reason, ""}
