-- letter_return: make a dead letter that was archived and dropped a dead letter again. Safe to run twice.
--   K.event(id), K.dead, K.ledger   see accept.lua
--   ARGV   id, when it died (ms), words for the ledger, then its fields and values
-- Returns created | left: something else became of that event.
-- include: clock
-- include: ledger
local id = ARGV[1]
local state, reason = unpack(redis.call("HMGET", K.event(id), "state", "reason"))
if state and not (state == "suppressed" and reason == "dropped") then return "left" end
local fields = {}
for i = 4, #ARGV do fields[#fields + 1] = ARGV[i] end
redis.call("DEL", K.event(id))
redis.call("HSET", K.event(id), unpack(fields))
redis.call("ZADD", K.dead, ARGV[2], id)
record(now(), id, "dead", redis.call("HGET", K.event(id), "reason") or "", ARGV[3])
return "created"
