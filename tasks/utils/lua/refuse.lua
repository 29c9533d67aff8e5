-- refuse: dead-letter what cannot become an alert (invalid, unknown service, poison, undecodable), whole, with its reason.
--   K.event(id), K.dead, K.ledger; K.inbox* lose the row if it came from there
--   ARGV   id, body, reason, detail, source, received (ms or "")
-- Safe to run twice. Returns state, reason, "".
-- include: clock
-- include: ledger
-- include: close
local id, body, reason, detail, source, received = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local at = now()
redis.call("ZREM", K.inbox_due, id)
redis.call("HDEL", K.inbox, id)
redis.call("HDEL", K.inbox_tries, id)
local known = redis.call("HMGET", K.event(id), "state", "reason", "into")
if known[1] then return {known[1], known[2] or "", known[3] or ""} end
local stamp = string.format("%d", at)
if received == "" then received = stamp end
redis.call("HSET", K.event(id), "body", body, "source", source, "received", received, "accepted", stamp, "attempts", 0)
record(at, id, "accepted", "refused")
bury(id, at, reason, detail)
return {"dead", reason, ""}
