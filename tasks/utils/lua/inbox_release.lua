-- inbox_release: give the turn at the inbox back before it is over, so that others get theirs, and call for whoever goes on.
--   K.inbox_turn          see inbox_claim.lua
--   K.inbox_due, K.hints, queue alert
--   ARGV                  token
-- include: clock
-- include: hint
if redis.call("HGET", K.inbox_turn, "token") == ARGV[1] then redis.call("DEL", K.inbox_turn) end
if redis.call("ZCARD", K.inbox_due) > 0 then hint("alert", now()) end
