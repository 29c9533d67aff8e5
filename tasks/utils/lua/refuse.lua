-- refuse: dead-letter what cannot become an alert (invalid, unknown service, poison, undecodable), whole, with its reason.
--   K.event(id), K.dead, K.ledger; K.inbox* lose the row if it came from there
--   K.event(id)   undecided: 1 = nobody has decided on this alert, so `accepted` is when it was received, as far as that is known
--   ARGV   id, body, reason, detail, source, received (ms; "" = it never was in the inbox), uid of the alert it is about ("" = that cannot be told),
--          service, action, severity, summary (each "" where it names none)
-- Safe to run twice. Returns state, reason, "".
-- include: clock
-- include: ledger
-- include: close
-- include: known
local id, body, reason, detail, source, received = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local uid, service, action, severity, summary = ARGV[7] or "", ARGV[8] or "", ARGV[9] or "", ARGV[10] or "", ARGV[11] or ""
local before = decided(id, received ~= "")
if before then return before end
local at = now()
local stamp = string.format("%d", at)
local came = received == "" and stamp or received
redis.call("HSET", K.event(id), "body", body, "source", source, "received", came, "accepted", came, "attempts", 0,
  "service", service, "action", action, "severity", severity, "summary", summary)
if uid ~= "" then redis.call("HSET", K.event(id), "uid", uid, "undecided", 1) end
record(at, id, "accepted", "refused", uid ~= "" and service .. " " .. uid or service)
bury(id, at, reason, detail)
return {"dead", reason, ""}
