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
-- include: overtaken
local id = ARGV[1]
local at = now()
if not redis.call("ZSCORE", K.dead, id) then return "" end
record(at, id, "replayed")

local event = redis.call("HMGET", K.event(id), "uid", "action", "accepted", "alert", "lane", "replayed", "group", "service")
local uid, action, accepted, lane = event[4] or event[1], event[2], tonumber(event[3] or 0), event[5]
local first_accepted = tonumber(event[6] or accepted)
local alert = uid and redis.call("HMGET", K.alert(uid), "status", "since", "routes") or {}
local status, since, routes = alert[1], tonumber(alert[2] or 0), alert[3]

local function over(state, reason, into)
  close(id, at, state, reason)
  if into then redis.call("HSET", K.event(id), "into", into) end
  record(at, id, state, reason, into)
  return reason == "resolved_before_send" and "resolved" or "overtaken"
end

local function is_open_there()  -- whether the open episode went the way of this event
  if event[7] then return redis.call("HGET", K.alert(event[1]), "group") == event[7] end
  if routes and lane then return string.find("\n" .. routes, "\n" .. string.match(lane, "@(.*)$") .. " ", 1, true) ~= nil end
  return not lane or event[1] == uid
end

local function back_on_lane()
  local fields = redis.call("HGETALL", K.event(id))
  for i = 1, #fields, 2 do
    if string.sub(fields[i], 1, 5) == "done:" and fields[i + 1] == "refused" then redis.call("HDEL", K.event(id), fields[i]) end
  end
  redis.call("HDEL", K.event(id), "ended", "detail", "minimal", "failed_place")
  redis.call("HSET", K.event(id), "state", "queued", "reason", "", "attempts", 0, "claims", 0)
  redis.call("ZADD", K.queued, at, id)
  redis.call("RPUSH", K.lane(lane), id)
  if redis.call("HEXISTS", K.leases, lane) == 0 then redis.call("ZADD", K.outbox_due, at, lane) end
  hint("delivery", at)
end

local function back_in_group()  -- to be told in the group's next bundle
  redis.call("HDEL", K.event(id), "ended", "detail", "bundle")
  redis.call("HSET", K.event(id), "state", "queued", "reason", "")
  local destination = redis.call("HGET", K.alert(event[7]), "service") or event[8]
  tell(id, event[1], event[7], event[7] .. "@" .. destination, true, at)
end

if action == "trigger" and uid then
  local reason, newer = overtaken(id, uid, {event[1]}, first_accepted, accepted)
  if reason then return over(newer and "merged" or "suppressed", reason, newer) end
elseif action == "resolve" and status and status ~= "resolved" and is_open_there() then
  return over("suppressed", "overtaken")
elseif action == "acknowledge" and status == "open" and since > accepted and is_open_there() then
  return over("suppressed", "overtaken")
end

redis.call("ZREM", K.dead, id)
local follows = action == "acknowledge" or action == "resolve"
if follows and event[7] then
  back_in_group()
elseif follows and lane then
  back_on_lane()
else
  back_to_inbox(id, at, ARGV[2])
  if uid then redis.call("HSET", K.event(id), "replayed", string.format("%d", first_accepted), "accepted", string.format("%d", accepted)) end
  hint("alert", at)
end
return "replayed"
