-- escalation_claim: lease the escalations that are due to one caller. Whoever dies over one is followed by another at the lease's end.
--   K.escalations_due, K.escalation(uid)   due times, the rows; `due` keeps when it fell due
--   K.alert(uid), K.labels, K.answers      what it is about
--   K.hints, queue escalation              if more are due, one more worker is called in; K.wake: else the pumps look anew when this caller is done
--   ARGV                                   most, lease (ms), for how long the caller stays if nothing is due now (ms; 0 = this is its last call),
--                                          "1" = call another one in, who takes over: it may have to wait for a free hand
-- While a caller stays, no other is called: two hundred timers a second need not be two hundred messages.
-- Returns now (ms), ms until the caller should ask again or -1, then for each {uid, due, began, policy, taken, fence, state, left, told, service, status, dedup key, wire key, incidents, labels}.
-- include: clock
-- include: hint
-- include: wake
local at, most, stay = now(), tonumber(ARGV[1]), tonumber(ARGV[3])
local uids = redis.call("ZRANGEBYSCORE", K.escalations_due, "-inf", at, "WITHSCORES", "LIMIT", 0, most + 1)

local function until_next()  -- ms, or -1 if that is too long to wait for
  if stay == 0 then return -1 end
  if #uids > 0 then return 0 end
  local due = tonumber(redis.call("ZRANGE", K.escalations_due, 0, 0, "WITHSCORES")[2] or math.huge)
  return due - at <= stay and due - at or -1
end

local wait = until_next()
if wait < 0 then
  answered("escalation")
  redis.call("LPUSH", K.wake, "1")
  redis.call("LTRIM", K.wake, 0, MOST_TOKENS - 1)
else
  redis.call("HSET", K.hints, "escalation", string.format("%d", at))
end
if #uids > 2 * most or ARGV[4] == "1" then
  answered("escalation")
  more_hands("escalation", at)
end
local lease_end = string.format("%d", at + ARGV[2])
local answer = {at, wait}
for i = 1, math.min(#uids, 2 * most), 2 do
  local uid, row = uids[i], K.escalation(uids[i])
  local known = redis.call("HMGET", row, "began", "policy", "taken", "fence", "state", "left", "told")
  if not known[1] then
    redis.call("ZREM", K.escalations_due, uid)
  else
    redis.call("ZADD", K.escalations_due, lease_end, uid)
    redis.call("HSETNX", row, "due", string.format("%d", uids[i + 1]))
    local one = {uid, redis.call("HGET", row, "due")}
    for j = 1, 7 do one[2 + j] = known[j] or "" end
    for j, value in ipairs(redis.call("HMGET", K.alert(uid), "service", "status", "dedup_key", "wire")) do one[9 + j] = value or "" end
    one[14] = redis.call("HGET", K.answers, uid) or ""
    one[15] = redis.call("HGET", K.labels, uid) or ""
    answer[#answer + 1] = one
  end
end
return answer
