-- replay: put a dead letter back into the inbox under its own id, to be decided on again. A trigger whose resolve has come
-- since is suppressed instead: nobody would resolve it again.
--   K.dead, K.event(id), K.alert(uid), K.inbox, K.inbox_due, K.queued, K.closed, K.ledger, K.hints
--   ARGV   id, envelope (see inbox_put.lua)
-- Returns "replayed", "resolved", or "" when the id is no dead letter (any more).
-- include: clock
-- include: ledger
-- include: hint
-- include: close
-- include: inbox
local id = ARGV[1]
local at = now()
if not redis.call("ZSCORE", K.dead, id) then return "" end
record(at, id, "replayed")

local event = redis.call("HMGET", K.event(id), "uid", "action", "accepted", "alert")
if event[1] and event[2] == "trigger" then
  local alert = redis.call("HMGET", K.alert(event[4] or event[1]), "status", "last_at")
  if alert[1] == "resolved" and tonumber(alert[2] or 0) >= tonumber(event[3]) then
    close(id, at, "suppressed", "resolved_before_send")
    record(at, id, "suppressed", "resolved_before_send")
    return "resolved"
  end
end

redis.call("ZREM", K.dead, id)
back_to_inbox(id, at, ARGV[2])
hint("alert", at)
return "replayed"
