-- replay: give a dead letter another chance. A trigger or change goes back into the inbox under its own id, to be decided on again; an acknowledge
-- or resolve back on its own lane, for it concerns those who heard of its episode. What newer news has overtaken is closed instead: nobody would
-- resolve a trigger again that was resolved, an old resolve would end what fires now, old news would pass for new.
--   K.dead, K.event(id), K.alert(uid), K.lane(lane), K.leases, K.inbox, K.inbox_due, K.outbox_due, K.queued, K.closed, K.ledger, K.hints
--   ARGV   id, envelope (see inbox_put.lua)
-- Returns "replayed", "resolved", "overtaken", or "" when the id is no dead letter (any more).
-- include: clock
-- include: ledger
-- include: hint
-- include: close
-- include: inbox
-- include: group
-- include: second_chance
local id = ARGV[1]
local at = now()
if not redis.call("ZSCORE", K.dead, id) then return "" end
record(at, id, "replayed")

local letter = letter_of(id)
local uid, lane = letter.uid, letter.lane

local function over(state, reason, into)
  close(id, at, state, reason)
  if into then redis.call("HSET", K.event(id), "into", into) end
  record(at, id, state, reason, into)
  return reason == "resolved_before_send" and "resolved" or "overtaken"
end

local function back_on_lane()
  local fields = redis.call("HGETALL", K.event(id))
  for i = 1, #fields, 2 do
    if string.sub(fields[i], 1, 5) == "done:" and fields[i + 1] == "refused" then redis.call("HDEL", K.event(id), fields[i]) end
  end
  redis.call("HDEL", K.event(id), "detail", "minimal", "failed_place")
  redis.call("HSET", K.event(id), "state", "queued", "reason", "", "attempts", 0, "claims", 0)
  redis.call("ZADD", K.queued, at, id)
  redis.call("RPUSH", K.lane(lane), id)
  if redis.call("HEXISTS", K.leases, lane) == 0 then redis.call("ZADD", K.outbox_due, at, lane) end
  hint("delivery", at)
end

local function back_in_group()  -- to be told in the group's next bundle
  redis.call("HDEL", K.event(id), "detail", "bundle")
  redis.call("HSET", K.event(id), "state", "queued", "reason", "")
  local destination = redis.call("HGET", K.alert(letter.group), "service") or letter.service
  tell(id, letter.place, letter.group, letter.group .. "@" .. destination, true, at)
end

local state, reason, newer = fate_of(letter)
if state then return over(state, reason, newer) end

redis.call("ZREM", K.dead, id)
local follows = letter.action == "acknowledge" or letter.action == "resolve"
if follows and letter.group then
  back_in_group()
elseif follows and lane then
  back_on_lane()
else
  back_to_inbox(id, at, ARGV[2])
  if uid then redis.call("HSET", K.event(id), "replayed", string.format("%d", letter.first), "accepted", string.format("%d", letter.accepted)) end
  if letter.undecided then redis.call("HSET", K.event(id), "undecided", 1) end
  hint("alert", at)
end
return "replayed"
