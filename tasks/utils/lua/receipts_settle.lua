-- receipts_settle: what came of looks at PagerDuty. Safe to run twice: what was settled, or was seen meanwhile, is passed over.
--   K.receipts, K.receipts_due, K.receipt_hours(hour), K.alert(own)   see lib/receipt.lua
--   K.receipt_missed                    when the last one was missed (ms)
--   K.event(id), K.lane(lane), K.leases, K.outbox_due, K.queued, K.closed, K.dead, K.ledger, K.hints
--   K.escalation(uid)                   its next step is due at once, where its policy says so; see lib/escalation.lua
--   K.breaker(endpoint)                 all that one run missed is one failed call
--   ARGV   rules of breakers (see lib/breaker.lua), then for each row: field, `last` as it was claimed, verdict, reason, ms until the next look
-- Verdicts: seen · again · unverified · missed. What is missed is said again: by the next channel, or where there is none by the same once more, and then
-- it is a dead letter. It goes back on its lane before all else, so that what follows comes after it, and reaches both places.
-- Returns what was done with each row: the verdict, "again", "ended" (resolved meanwhile), or "" (settled already).
-- include: clock
-- include: ledger
-- include: hint
-- include: close
-- include: breaker
-- include: receipt
-- include: answer
local at = now()
local stamp = string.format("%d", at)
local endpoints = {}

local function note(id, step, reason, detail)  -- in the story of the event, and of all it tells of
  if redis.call("HEXISTS", K.event(id), "members") == 1 then record(at, id, step, reason, detail) end
  each_told(id, function(one) record(at, one, step, reason, detail) end)
end

local function back_on_lane(id, lane, of, sent, channel)
  local event = K.event(id)
  redis.call("HDEL", event, "tried", "failed_place", "minimal")
  redis.call("HSET", event, "state", "queued", "reason", "", "channel", channel, "attempts", 0, "claims", 0, "since", stamp,
    "down", string.format("%s %d missed", of.endpoint, sent))
  each_told(id, function(one) redis.call("HSET", K.event(one), "state", "queued", "reason", "") end)
  redis.call("ZADD", K.queued, stamp, id)
  redis.call("LPUSH", K.lane(lane), id)
  if redis.call("HEXISTS", K.leases, lane) == 0 then redis.call("ZADD", K.outbox_due, stamp, lane) end
  note(id, "missed", of.channel, channel)
end

local function say_again(id, lane, of, sent)
  local state, resent = unpack(redis.call("HMGET", K.event(id), "state", "resent"))
  if state ~= "sent" then return end
  if of.next ~= "" then return back_on_lane(id, lane, of, sent, of.next) end
  if not resent then
    redis.call("HSET", K.event(id), "resent", 1)
    return back_on_lane(id, lane, of, sent, of.channel)
  end
  note(id, "missed", of.channel, "")
  each_told(id, function(one) redis.call("HSET", K.event(one), "channel", of.channel) end)
  bury(id, at, "missed", "channel " .. of.channel .. " took it twice, and PagerDuty shows no incident of it; see what became of it there, then replay this dead letter")
end

local function mark(own, key_id, verdict)
  local known = records_of(own)[key_id]
  if not known then return end
  known.receipt = verdict
  keep_record(own, key_id, known)
end

local function missed(field, row, own)
  redis.call("HDEL", K.receipts, field)
  redis.call("ZREM", K.receipts_due, field)
  redis.call("SET", K.receipt_missed, stamp)
  for _, uid in ipairs(concerned(own)) do unseen_escalation(uid, at) end
  for lane, of in pairs(row.lanes) do
    if of.endpoint ~= "" then endpoints[of.endpoint] = true end
    for i = #of.ids, 1, -1 do say_again(of.ids[i], lane, of, row.sent) end
  end
end

local function accounted_for(own, key_id, row, verdict, reason)
  for _, of in pairs(row.lanes) do
    for _, id in ipairs(of.ids) do note(id, "receipt", verdict, reason) end
  end
  end_receipt(own, key_id, at)
end

local function settle(field, last, verdict, reason, wait)
  local key_id, own = string.match(field, "^(%S+) (%S+)$")
  local text = redis.call("HGET", K.receipts, field)
  if not text then return "" end
  local row = cjson.decode(text)
  if redis.call("HGET", K.alert(own), "status") == "resolved" then
    end_receipt(own, key_id, at)
    count_receipt("ended", at)
    return "ended"
  end
  if verdict == "again" or verdict == "missed" and row.last ~= last then  -- it was sent anew since the look
    row.looks = row.looks + 1
    redis.call("HSET", K.receipts, field, cjson.encode(row))
    redis.call("ZADD", K.receipts_due, string.format("%d", on_grid(at + wait)), field)
    return "again"
  end
  mark(own, key_id, verdict)
  count_receipt(verdict, at)
  if verdict == "missed" then missed(field, row, own) else accounted_for(own, key_id, row, verdict, reason) end
  return verdict
end

local answer = {}
for i = 2, #ARGV, 5 do
  answer[#answer + 1] = settle(ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2], ARGV[i + 3], tonumber(ARGV[i + 4]))
end
for endpoint in pairs(endpoints) do report_call(endpoint, "receipts", "failed", ARGV[1], at) end
if next(endpoints) then hint("delivery", at) end
return answer
