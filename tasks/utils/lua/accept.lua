-- accept: decide on one alert and write the decision as a whole: event, alert, lane, due time, ledger.
--   K.event(id)    state (queued|sent|merged|suppressed|dead), reason, uid, lane, service, action, severity, body, summary, received, accepted,
--                  attempts, claims (handed out without an outcome), minimal, channel, into, ended
--   K.alert(uid)   service, dedup_key, status (open|acknowledged|resolved), episode (1 once a trigger is on its way), last_id, last_sign, last_at,
--                  repeats, unclear, and "on:<channel>|<key id>" = sent|unclear for every place that may hold the alert open
--   K.lane(lane), K.outbox_due, K.leases, K.queued, K.inbox*, K.alerts, K.ledger, K.hints
--   ARGV           id, uid, lane, service, dedup key, action, severity, sign, window (ms), body, summary, source, received (ms or ""), adaptations (JSON list or "")
-- An event whose sign equals the key's last one within the window is merged into that one. Safe to run twice.
-- Returns state, reason, into.
-- include: clock
-- include: ledger
-- include: hint
local id, uid, lane, service, dedup_key, action = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local severity, sign, window, body, summary = ARGV[7], ARGV[8], tonumber(ARGV[9]), ARGV[10], ARGV[11]
local source, received, adaptations = ARGV[12], ARGV[13], ARGV[14]
local at = now()
local event, alert = K.event(id), K.alert(uid)

redis.call("ZREM", K.inbox_due, id)
redis.call("HDEL", K.inbox, id)
redis.call("HDEL", K.inbox_tries, id)
local known = redis.call("HMGET", event, "state", "reason", "into")
if known[1] then return {known[1], known[2] or "", known[3] or ""} end

local stamp = string.format("%d", at)
if received == "" then received = stamp end
redis.call("HSET", event, "uid", uid, "lane", lane, "service", service, "action", action, "severity", severity,
  "summary", summary, "source", source, "received", received, "accepted", stamp, "attempts", 0)
record(at, id, "accepted", action, service)
if adaptations ~= "" then record(at, id, "adapted", adaptations) end

local last = redis.call("HMGET", alert, "last_id", "last_sign", "last_at")
if last[2] == sign and at - tonumber(last[3]) < window then
  redis.call("HSET", event, "state", "merged", "reason", "duplicate", "into", last[1], "ended", stamp)
  redis.call("HINCRBY", alert, "repeats", 1)
  redis.call("ZADD", K.closed, at, id)
  record(at, id, "merged", "duplicate", last[1])
  return {"merged", "duplicate", last[1]}
end

redis.call("HSET", event, "state", "queued", "reason", "", "body", body)
redis.call("HSET", alert, "service", service, "dedup_key", dedup_key, "last_id", id, "last_sign", sign, "last_at", stamp)
if action == "trigger" then
  redis.call("HSET", alert, "episode", 1)
  redis.call("HSETNX", alert, "status", "open")
  if redis.call("HGET", alert, "status") == "resolved" then redis.call("HSET", alert, "status", "open") end
else
  redis.call("HSET", alert, "status", action == "resolve" and "resolved" or "acknowledged")
end
redis.call("ZADD", K.alerts, at, uid)

redis.call("ZADD", K.queued, at, id)
local leased = redis.call("HEXISTS", K.leases, lane) == 1
local head = redis.call("LINDEX", K.lane(lane), 0)
if head and string.sub(head, 1, 1) == "~" and not leased then  -- a resolve's repeat: news makes it pointless
  redis.call("LPOP", K.lane(lane))
  head = false
end
redis.call("RPUSH", K.lane(lane), id)
if not leased and not head then redis.call("ZADD", K.outbox_due, at, lane) end
hint("delivery", at)
return {"queued", "", ""}
