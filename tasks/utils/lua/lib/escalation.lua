-- Escalations: while nobody answers an alert, its policy's steps are taken one by one.
--   K.escalation(uid)    began (ms), policy (digest, see K.policies), taken (steps), fence (raised by every change), state running | acknowledged | paused |
--                        done | cancelled; and where it applies: reason, left (ms to the next step when it stopped), due (while a worker has it:
--                        when it fell due), told (a text for people: who paused it), ended (ms)
--   K.escalations_due    uid -> when it goes on; inf while it waits for somebody. Who is in it lives, who is not does not
-- Its story in the ledger is that of `escalation-<uid>-<began>`: started, escalated, stopped, resumed, ended, each with a named reason.
-- A change that was planned outside is made only if the fence is still the one that was read: each takes effect once.
-- start_escalation(uid, service, since, at, spec): `since` is when its episode began; `spec` is `<first due, ms> <digest>`, a line, the policy as K.policies has it. Once in an episode.
-- end_escalation(uid, at, state, reason); forget_escalation(uid, at): the alert is forgotten.
-- stop_escalation(uid, at, state, reason, due): it waits; goes on by itself at `due`, if that is given.
-- resume_escalation(uid, at, reason, left): it goes on with the time that was left, or with so much.
-- acknowledged_escalation(uid, at), unacknowledged_escalation(uid, at, reason), reopened_escalation(uid, at)
-- unseen_escalation(uid, at): PagerDuty took the alert and shows no incident; where its policy says so, the next step is due at once.
-- include: ledger
-- include: wake
-- include: hint
local ALIVE = {running = true, acknowledged = true, paused = true}

local function story_of(uid, began) return "escalation-" .. uid .. "-" .. began end

local function live_escalation(uid)  -- state, began, policy, left or nil
  local known = redis.call("HMGET", K.escalation(uid), "state", "began", "policy", "left")
  if ALIVE[known[1]] then return unpack(known) end
end

local A_PUMPS_SLEEP = 1000  -- milliseconds: what is due later is found without being woken

local function goes_on_at(uid, due, at)
  if due == math.huge then return redis.call("ZADD", K.escalations_due, "inf", uid) end
  if due - at > A_PUMPS_SLEEP then return redis.call("ZADD", K.escalations_due, string.format("%d", due), uid) end
  due_at(K.escalations_due, uid, string.format("%d", due))
  if due <= at then hint("escalation", at) end
end

local function release_policy(digest)
  if not digest or redis.call("HINCRBY", K.policy_uses, digest, -1) > 0 then return end
  redis.call("HDEL", K.policy_uses, digest)
  redis.call("HDEL", K.policies, digest)
end

local function policy_times(digest)  -- ms an acknowledgement counts, ms until an alert is resolved by itself, 0 = for good, never; whether it escalates unseen
  local again, over, unseen = string.match(redis.call("HGET", K.policies, digest) or "", "^(%d+) (%d+) (%d)")
  return tonumber(again or 0), tonumber(over or 0), unseen == "1"
end

local function end_escalation(uid, at, state, reason)
  local is_live, began = live_escalation(uid)
  if not is_live then return false end
  local row = K.escalation(uid)
  redis.call("HINCRBY", row, "fence", 1)
  redis.call("HDEL", row, "due", "left", "told")
  redis.call("HSET", row, "state", state, "reason", reason, "ended", string.format("%d", at))
  redis.call("ZREM", K.escalations_due, uid)
  record(at, story_of(uid, began), "ended", reason)
  return true
end

local function start_escalation(uid, service, since, at, spec)
  if spec == "" then return false end
  local first, digest, text = string.match(spec, "^(%d+) (%x+)\n(.*)$")
  local row = K.escalation(uid)
  local began, before, reason = unpack(redis.call("HMGET", row, "began", "policy", "reason"))
  if began and reason ~= "resolved" and tonumber(began) >= tonumber(since or 0) then return false end
  if redis.call("HINCRBY", K.policy_uses, digest, 1) == 1 then redis.call("HSET", K.policies, digest, text) end
  if began then
    end_escalation(uid, at, "cancelled", "superseded")
    release_policy(before)
    redis.call("DEL", row)
  end
  began = string.format("%d", math.max(at, (began or 0) + 1))  -- many calls of one moment: each episode has a story of its own
  redis.call("HSET", row, "began", began, "policy", digest, "taken", 0, "fence", 0, "state", "running")
  record(at, story_of(uid, began), "started", first, service)
  goes_on_at(uid, tonumber(first), at)
  return true
end

local function forget_escalation(uid, at)
  end_escalation(uid, at, "cancelled", "alert_forgotten")
  release_policy(redis.call("HGET", K.escalation(uid), "policy"))
  redis.call("DEL", K.escalation(uid))
end

local function time_left(uid, at)
  local due = redis.call("HGET", K.escalation(uid), "due") or redis.call("ZSCORE", K.escalations_due, uid)
  return math.max(0, tonumber(due or at) - at)
end

local function stop_escalation(uid, at, state, reason, due)
  local was, began = live_escalation(uid)
  if not was then return false end
  local row = K.escalation(uid)
  if was == "running" then redis.call("HSET", row, "left", string.format("%d", time_left(uid, at))) end
  redis.call("HINCRBY", row, "fence", 1)
  redis.call("HDEL", row, "due")
  redis.call("HSET", row, "state", state, "reason", reason)
  record(at, story_of(uid, began), "stopped", reason, due and string.format("%d", due) or "")
  goes_on_at(uid, due or math.huge, at)
  return true
end

local function resume_escalation(uid, at, reason, left)
  local was, began, _, kept = live_escalation(uid)
  if not was then return false end
  local row = K.escalation(uid)
  redis.call("HINCRBY", row, "fence", 1)
  redis.call("HDEL", row, "due", "left", "reason", "told")
  redis.call("HSET", row, "state", "running")
  local due = at + tonumber(left or kept or 0)
  record(at, story_of(uid, began), "resumed", reason, string.format("%d", due))
  goes_on_at(uid, due, at)
  return true
end

local function acknowledged_escalation(uid, at)
  local was, began, digest = live_escalation(uid)
  if not was or was == "acknowledged" then return end
  local again, over = policy_times(digest)
  local due = math.min(again > 0 and at + again or math.huge, over > 0 and tonumber(began) + over or math.huge)
  stop_escalation(uid, at, "acknowledged", "acknowledged", due < math.huge and math.max(due, at) or nil)
end

local function unacknowledged_escalation(uid, at, reason, left)
  if live_escalation(uid) == "acknowledged" then resume_escalation(uid, at, reason, left) end
end

local function reopened_escalation(uid, at)  -- what PagerDuty opened again escalates anew, by the policy it had; its first time is found by whoever takes it up
  local row = K.escalation(uid)
  local digest = redis.call("HGET", row, "policy")
  if not digest or live_escalation(uid) then return end
  local began = string.format("%d", at)
  redis.call("DEL", row)
  redis.call("HSET", row, "began", began, "policy", digest, "taken", 0, "fence", 0, "state", "running", "told", "first")
  record(at, story_of(uid, began), "started", began, redis.call("HGET", K.alert(uid), "service") or "")
  goes_on_at(uid, at, at)
end

local function unseen_escalation(uid, at)
  local was, _, digest = live_escalation(uid)
  if was ~= "running" or not select(3, policy_times(digest)) then return false end
  return resume_escalation(uid, at, "no_receipt", 0)
end
