-- accept: decide on one alert and write the decision as a whole: event, alert, lane, due time, ledger.
--   K.event(id)    state (queued|sent|merged|suppressed|dead), reason, uid, lane, service, action, severity, body, summary, source, received,
--                  accepted, attempts, claims (handed out without an outcome), minimal, channel, into, ended,
--                  since, tried (of the news it supersedes: since when the alert waits, whether it was sent before)
--   K.alert(uid)   service, dedup_key, status (open|acknowledged|resolved), episode (1 once a trigger is on its way), last_id, last_sign, last_at,
--                  repeats, unclear, and "on:<channel>|<key id>" = try|unclear|sent for every place that may hold the alert open
--   K.lane(lane), K.outbox_due, K.queued, K.inbox_due, K.inbox, K.inbox_tries, K.alerts, K.closed, K.ledger, K.hints
--   ARGV           id, uid, lane, service, dedup key, action, severity, sign, window (ms), body, summary, source,
--                  received (ms; "" = it never was in the inbox), adaptations (JSON list or "")
-- An event whose sign equals the key's last one within the window is merged into that one. Safe to run twice.
-- Returns state, reason, into.
-- include: clock
-- include: ledger
-- include: hint
-- include: known
local id, uid, lane, service, dedup_key, action = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local severity, sign, window, body, summary = ARGV[7], ARGV[8], tonumber(ARGV[9]), ARGV[10], ARGV[11]
local source, received, adaptations = ARGV[12], ARGV[13], ARGV[14]

local before = decided(id, received ~= "")
if before then return before end
local at = now()
local stamp = string.format("%d", at)
local event, alert = K.event(id), K.alert(uid)
local last = redis.call("HMGET", alert, "last_id", "last_sign", "last_at", "status")
local repeated = last[2] == sign and at - tonumber(last[3]) < window

record(at, id, "accepted", action, service)
if adaptations ~= "" then record(at, id, "adapted", adaptations) end
redis.call("HSET", event, "state", repeated and "merged" or "queued", "reason", repeated and "duplicate" or "", "uid", uid, "lane", lane,
  "service", service, "action", action, "severity", severity, "summary", summary, "source", source,
  "received", received == "" and stamp or received, "accepted", stamp, "attempts", 0, repeated and "into" or "body", repeated and last[1] or body)

if repeated then
  redis.call("HSET", event, "ended", stamp)
  redis.call("HINCRBY", alert, "repeats", 1)
  redis.call("ZADD", K.closed, stamp, id)
  record(at, id, "merged", "duplicate", last[1])
  return {"merged", "duplicate", last[1]}
end

local status = action == "resolve" and "resolved" or "acknowledged"
if action == "trigger" then status = last[4] == "acknowledged" and "acknowledged" or "open" end
redis.call("HSET", alert, "service", service, "dedup_key", dedup_key, "last_id", id, "last_sign", sign, "last_at", stamp, "status", status)
if action == "trigger" then redis.call("HSET", alert, "episode", 1) end
redis.call("ZADD", K.alerts, stamp, uid)
redis.call("ZADD", K.queued, stamp, id)
local waiting = redis.call("RPUSH", K.lane(lane), id)
if waiting == 2 and string.sub(redis.call("LINDEX", K.lane(lane), 0), 1, 1) == "~" and redis.call("HEXISTS", K.leases, lane) == 0 then
  redis.call("LPOP", K.lane(lane))  -- a resolve's repeat that waits for its time: news makes it pointless
  waiting = 1
end
local function has_another_severity()
  return action == "trigger" and last[1] and redis.call("HGET", K.event(last[1]), "severity") ~= severity
end
if waiting == 1 then
  redis.call("ZADD", K.outbox_due, stamp, lane)
elseif has_another_severity() and redis.call("HEXISTS", K.leases, lane) == 0 then
  redis.call("ZADD", K.outbox_due, "LT", stamp, lane)  -- another severity has another patience: look at once
end
hint("delivery", at)
return {"queued", "", ""}
