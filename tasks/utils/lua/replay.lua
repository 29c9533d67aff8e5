-- replay: put a dead letter back into the inbox under its own id, to be decided on again.
--   K.dead, K.event(id), K.inbox, K.inbox_due, K.ledger, K.hints
--   ARGV   id, envelope (see inbox_put.lua)
-- Returns 1, or 0 when the id is no dead letter (any more).
-- include: clock
-- include: ledger
-- include: hint
local id = ARGV[1]
local at = now()
if redis.call("ZREM", K.dead, id) == 0 then return 0 end
redis.call("DEL", K.event(id))
redis.call("HSET", K.inbox, id, ARGV[2])
redis.call("ZADD", K.inbox_due, at, id)
record(at, id, "replayed")
hint("alert", at)
return 1
