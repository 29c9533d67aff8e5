-- Breakers: one for each endpoint, shared by all who call it. Without a hash it is closed, and has not failed lately.
--   K.breaker(name)    since, failures, answers (of the window that its first failure began, ms); while it is open: opened, open_until (ms),
--                      pauses (times it opened in a row), down_since (ms), waiting (calls put off since it last changed);
--                      probe (who asks whether it is over), probe_until (ms); forced (open|closed), forced_since, forced_until (ms), forced_by, forced_why
--   K.breakers         name -> when it last changed
--   K.breaker_events   what became of breakers, for people to read
-- A breaker opens when as many calls have failed within a window as its threshold says, and no fewer failed than were answered. Once its pause is over it
-- is half open: one caller gets the probe, with a lease; the others wait as before. The probe closes it, or opens it for twice as long.
-- shut_until(name, at): nil when a call may begin, else until when none may (ms).
-- put_off(name, due, at): when to look again, spread out so that those who wait do not all look at once, and no later than LOOK_AGAIN.
-- take_probe(name, who, lease, at): to be called by whoever begins a call; returns true if the call is the probe.
-- report_call(name, who, verdict, spec, at): what came of a call: "failed", "answered", or "" when nothing is known. `spec` is
--   `<threshold> <window, ms> <pause, ms> <longest pause, ms>`.
-- down_since(name, at): `<name> <ms> <forced|>`: since when an open one has not answered, or has been forced open.
local LOOK_AGAIN = 30000  -- milliseconds: somebody may close it by hand
local SPREAD = 2          -- milliseconds between two who wait
local MOST_EVENTS = 1000
local LONGEST_LEASE = 600000

local function whole(number) return string.format("%d", number) end

local function note_breaker(name, at, state, reason, author)
  redis.call("XADD", K.breaker_events, "MAXLEN", "~", MOST_EVENTS, "*", "b", name, "s", state, "r", reason, "a", author or "", "t", whole(at))
  redis.call("ZADD", K.breakers, whole(at), name)
end

local function forced_to(name, at)  -- open, closed or nil, and until when
  local how, from, till = unpack(redis.call("HMGET", K.breaker(name), "forced", "forced_since", "forced_until"))
  if how and at >= tonumber(from) and at < tonumber(till) then return how, tonumber(till) end
end

local function shut_until(name, at)
  if name == "" or redis.call("EXISTS", K.breaker(name)) == 0 then return nil end
  local how, till = forced_to(name, at)
  if how then return how == "open" and till or nil end
  local known = redis.call("HMGET", K.breaker(name), "open_until", "opened", "probe_until")
  local open_until, opened, probe_until = tonumber(known[1] or nil), tonumber(known[2] or nil), tonumber(known[3] or nil)
  if not open_until then return nil end
  if at >= opened and at < open_until then return open_until end  -- before it opened: the clock was set back
  if probe_until and at < probe_until and probe_until - at < LONGEST_LEASE then return probe_until end
end

local function put_off(name, due, at)
  local place = redis.call("HINCRBY", K.breaker(name), "waiting", 1)
  local probe_until = tonumber(redis.call("HGET", K.breaker(name), "probe_until") or 0)
  if due == probe_until then due = at + 1000 end  -- the answer is near
  return math.min(due, at + LOOK_AGAIN) + math.min(place * SPREAD, LOOK_AGAIN)
end

local function take_probe(name, who, lease, at)
  if name == "" or redis.call("HEXISTS", K.breaker(name), "open_until") == 0 or forced_to(name, at) then return false end
  redis.call("HSET", K.breaker(name), "probe", who, "probe_until", whole(at + lease), "waiting", 0)
  note_breaker(name, at, "half_open", "one call asks whether it is over")
  return true
end

local function close_it(name, at)
  redis.call("HDEL", K.breaker(name), "since", "failures", "answers", "opened", "open_until", "pauses", "down_since", "waiting", "probe", "probe_until")
  note_breaker(name, at, "closed", "it answers again")
  if redis.call("EXISTS", K.breaker(name)) == 0 then redis.call("ZREM", K.breakers, name) end
end

local function open_it(name, at, pauses, pause, longest, reason)
  local till = at + math.min(pause * 2 ^ math.min(pauses, 20), math.max(longest, pause))
  redis.call("HSET", K.breaker(name), "opened", whole(at), "open_until", whole(till), "pauses", pauses + 1, "waiting", 0)
  redis.call("HDEL", K.breaker(name), "probe", "probe_until")
  note_breaker(name, at, "open", reason)
end

local function count_call(name, verdict, threshold, window, at)  -- one more call of the window; failures and answers in it
  local since = tonumber(redis.call("HGET", K.breaker(name), "since") or nil)
  if since and (at - since >= window or at < since) then
    redis.call("HDEL", K.breaker(name), "since", "failures", "answers")
    since = nil
    if redis.call("EXISTS", K.breaker(name)) == 0 then redis.call("ZREM", K.breakers, name) end
  end
  if verdict == "answered" then
    if since then redis.call("HINCRBY", K.breaker(name), "answers", 1) end
    return 0, 0
  end
  if not since then
    redis.call("HSET", K.breaker(name), "since", whole(at))
    redis.call("ZADD", K.breakers, whole(at), name)
  end
  return redis.call("HINCRBY", K.breaker(name), "failures", 1), tonumber(redis.call("HGET", K.breaker(name), "answers") or 0)
end

local function report_call(name, who, verdict, spec, at)
  if name == "" or verdict == "answered" and redis.call("EXISTS", K.breaker(name)) == 0 then return end
  local threshold, window, pause, longest = string.match(spec, "(%d+) (%d+) (%d+) (%d+)")
  local open_until, probe, pauses = unpack(redis.call("HMGET", K.breaker(name), "open_until", "probe", "pauses"))
  if open_until then
    if probe ~= who then return end  -- it began before the breaker opened, or so long ago that another asks now
    redis.call("HDEL", K.breaker(name), "probe", "probe_until")
    if verdict == "answered" then return close_it(name, at) end
    if verdict == "failed" then open_it(name, at, tonumber(pauses), tonumber(pause), tonumber(longest), "it still does not answer") end
    return
  end
  if verdict == "" or forced_to(name, at) then return end
  local failures, answers = count_call(name, verdict, tonumber(threshold), tonumber(window), at)
  if failures >= tonumber(threshold) and failures >= answers then
    redis.call("HSET", K.breaker(name), "down_since", redis.call("HGET", K.breaker(name), "since"))
    open_it(name, at, 0, tonumber(pause), tonumber(longest), failures .. " calls failed, " .. answers .. " were answered")
  end
end

local function down_since(name, at)
  if forced_to(name, at) then return name .. " " .. redis.call("HGET", K.breaker(name), "forced_since") .. " forced" end
  return name .. " " .. (redis.call("HGET", K.breaker(name), "down_since") or whole(at)) .. " "
end
