-- say_again: an alert that is open here and whose incident at PagerDuty is over goes through the inbox once more, as what it last said.
--   K.alert(uid)   status, last_id
--   K.answers, K.inbox, K.inbox_due, K.event(id), K.ledger, K.hints   see lib/records.lua and lib/inbox.lua
--   ARGV           uid, key id, when its newest trigger began to be sent with that key as the caller saw it (ms), event id, id of the answer that
--                  would resolve it, alert (JSON)
-- Returns 1 if it goes again. 0 where it was resolved, or sent anew, meanwhile, or will be: by that answer, or because its newest event waits to be sent.
-- Should that happen before it is decided on, accept.lua finds it overtaken.
-- include: clock
-- include: inbox
-- include: records
local uid, key_id, last, id, answer, alert = unpack(ARGV)
local status, newest = unpack(redis.call("HMGET", K.alert(uid), "status", "last_id"))
local known = records_of(uid)[key_id]
if not status or status == "resolved" or not known or known.last ~= tonumber(last) then return 0 end
if redis.call("HEXISTS", K.inbox, answer) == 1 or newest and redis.call("HGET", K.event(newest), "state") == "queued" then return 0 end
local at = now()
return into_inbox(id, at, string.format("%d", at), "sync", alert) and 1 or 0
