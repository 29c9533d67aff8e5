-- escalation_claim: lease the escalations that are due to one caller. Whoever dies over one is followed by another at the lease's end.
--   K.escalations_due, K.escalation(uid)   due times, the rows; `due` keeps when it fell due
--   K.alert(uid), K.labels, K.answers      what it is about
--   K.hints, queue escalation              `escalation:turn` is whose turn it is to stay; if more are due than it takes, one more
--                                          worker is called in, unless nobody has answered the last call yet
--   K.wake                                 the pumps look anew when nobody stays
--   ARGV   most, lease (ms), for how long the caller stays if nothing is due now (ms; 0 = this is its last call), its token, "1" = its first call,
--          "1" = call another one in, who takes over: it may have to wait for a free hand
-- One worker stays, and while it does, no other is called: two hundred timers a second need not be two hundred messages. Whoever comes has the turn
-- from then on, and whoever had it leaves without a word once nothing is left behind; else each that leaves would call one more than there were.
-- Returns now (ms), ms until the caller should ask again or -1, then for each {uid, due, began, policy, taken, fence, state, left, told, service, status, dedup key, wire key, incidents, labels}.
-- include: clock
-- include: hint
-- include: wake
local at, most, stay, token = now(), tonumber(ARGV[1]), tonumber(ARGV[3]), ARGV[4]
local uids = redis.call("ZRANGEBYSCORE", K.escalations_due, "-inf", at, "WITHSCORES", "LIMIT", 0, most + 1)
local is_behind = #uids > 2 * most
local FRESH = 200  -- milliseconds; no need to write more often that somebody stays

local function has_turn()
  local last, whose = unpack(redis.call("HMGET", K.hints, "escalation", "escalation:turn"))
  local age = at - tonumber(last or 0)
  local is_gone = age < 0 or age >= LOST_AFTER
  if ARGV[5] == "1" or not whose or is_gone then
    redis.call("HSET", K.hints, "escalation:turn", token)
  elseif whose ~= token then
    return false
  end
  if stay > 0 and (is_gone or age >= FRESH) then redis.call("HSET", K.hints, "escalation", string.format("%d", at)) end
  return true
end

local function until_next()  -- ms, or -1 if that is too long to wait for
  if stay == 0 then return -1 end
  if #uids > 0 then return 0 end
  local due = tonumber(redis.call("ZRANGE", K.escalations_due, 0, 0, "WITHSCORES")[2] or math.huge)
  return due - at <= stay and due - at or -1
end

local function leave()
  answered("escalation")
  redis.call("HDEL", K.hints, "escalation:turn")
  redis.call("LPUSH", K.wake, "1")
  redis.call("LTRIM", K.wake, 0, MOST_TOKENS - 1)
end

local wait
if has_turn() then
  wait = until_next()
  if wait < 0 then leave() end
else
  wait = is_behind and stay > 0 and 0 or -1
end
if ARGV[6] == "1" or is_behind and redis.call("LLEN", P .. QUEUES.escalation) == 0 then
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
