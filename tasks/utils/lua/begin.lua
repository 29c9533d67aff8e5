-- begin: the last look before a send. Skips by name what the world has overtaken, picks the place to send to, books the attempt.
--   K.leases, K.outbox_due        only the holder of the lease may begin; it is renewed here
--   K.lane(lane), K.event(id), K.alert(uid), K.resting, those of lib/budget.lua, lib/breaker.lua and lib/limit.lua, K.queued, K.closed, K.dead, K.ledger, K.wake
--   ARGV   lane, token, lease (milliseconds), most claims without outcome, deadline per severity as JSON (milliseconds),
--          channels that take change events as JSON (list of names), channels that people read as JSON (name -> spec of their group, see
--          lib/group.lua), most events a minute of each channel as JSON (name -> number), the team the service belongs to,
--          "1" if nothing is sent beside it, channels that say what became of an alert there as JSON (list of names), then channel, key id and way for each channel of the service in order; behind an empty one those
--          that only end what they once opened. A way is `<endpoint> <ms between messages> <how many at once>`, see lib/breaker.lua and lib/limit.lua
-- Where the endpoint is left alone, a trigger goes on to the next channel at once; what cannot waits for it, and holds no worker.
-- What was handed out before and never heard of again may have killed its worker: it is begun only where nothing is sent beside it, since what
-- was beside it would be suspected, too, and in the end buried with it.
-- An alert that falls back on a channel that people read is not sent there by itself: it joins the destination `<destination>:<channel>`, whose
-- alerts are one group. What follows it goes there too.
-- The body of a bundle has what it tells of under `bundle`, see tasks/notifications/letters.py.
-- Returns {"send", id, action, channel, key id, minimal, attempts, body, ms until the next channel may take over or -1, endpoint} | {"wait"} | {"empty"} | {"lost"} | {"suspect"}.
-- include: clock
-- include: ledger
-- include: close
-- include: wake
-- include: hint
-- include: group
-- include: join
-- include: storm
-- include: breaker
-- include: limit
-- include: places
-- include: answered
-- include: wire
local lane, token, lease, most_claims = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local CHANNELS = 12  -- where they begin in ARGV
local GIVE_UP_AFTER = 3600000  -- milliseconds
local SOON = 10000  -- milliseconds until a lane that waits for its turn looks whether its endpoint still answers
local WINDOW = 100  -- entries of a lane looked at in one call: the server has others to serve
local at = now()
if redis.call("HGET", K.leases, lane) ~= token then return {"lost"} end

local waiting = redis.call("LRANGE", K.lane(lane), 0, WINDOW)  -- one more, to know what follows the last

local function give_back(due)
  redis.call("HDEL", K.leases, lane)
  due_at(K.outbox_due, lane, due)
  return {"wait"}
end

local function drop(state, id, reason, into)  -- take the head off the lane, its story told
  redis.call("LPOP", K.lane(lane))
  if into then redis.call("HSET", K.event(id), "into", into) end
  end_story(id, at, state, reason, into)
end

local function bequeath(event, heir)  -- else an alert with frequent news would never get past its first channel
  redis.call("HSET", heir, "since", event.since or event.accepted)
  if event.tried or tonumber(event.attempts) > 0 then redis.call("HSET", heir, "tried", "1") end
  if event.channel then redis.call("HSET", heir, "channel", event.channel) end
  if event.down then redis.call("HSET", heir, "down", event.down) end
end

local function way_of(channel)  -- endpoint, ms between messages, how many at once; what no channel is known for goes the way of the first
  local found = ARGV[CHANNELS + 2]
  for i = CHANNELS, #ARGV, 3 do
    if ARGV[i] == channel then found = ARGV[i + 2] end
  end
  return string.match(found, "^(%S*) (%d+) (%d+)$")
end

local function shut(channel) return shut_until(way_of(channel), at) end  -- until when its endpoint is left alone, or nil

local function candidates(action)  -- channel and key id of each that takes such events, in order of fall-back
  local takes_changes = {}
  for _, channel in ipairs(action == "change" and cjson.decode(ARGV[6]) or {}) do takes_changes[channel] = true end
  local found = {}
  for i = CHANNELS, #ARGV, 3 do
    if ARGV[i] == "" then break end
    if action ~= "change" or takes_changes[ARGV[i]] then found[#found + 1] = {ARGV[i], ARGV[i + 1]} end
  end
  return found
end

local function buried_for_want_of_channels(id)  -- a change that no channel would take
  if #candidates("change") > 0 then return false end
  redis.call("LPOP", K.lane(lane))
  bury(id, at, "no_channel_for_changes", "the key of every channel begins with R (an event orchestration's, which takes no change events); "
    .. "give the service a channel with the key of an Events v2 integration, then replay this dead letter")
  return true
end

local function has_trigger_behind(actions, i)
  for j = i + 1, #actions do if actions[j] == "trigger" then return true end end
  return false
end

local function overtaken(id, event, actions, i, last_resolve)  -- true when the head was skipped
  if event.action == "change" then return buried_for_want_of_channels(id) end
  local alert = K.alert(event.uid)
  if event.action ~= "trigger" then
    local reason = said_by_all(id, event) or redis.call("HGET", alert, "episode") == "1" and #places(alert) == 0 and "nothing_was_sent"
    if not reason then return false end
    drop("suppressed", id, reason)
    if event.action == "resolve" then
      redis.call("HDEL", alert, "unclear")
      if not has_trigger_behind(actions, i) then redis.call("HDEL", alert, "episode") end
    end
    return true
  end
  if event.members then return false end  -- what is sealed is told, in order
  if last_resolve > i then drop("suppressed", id, why_resolved(waiting[last_resolve])) return true end
  if actions[i + 1] == "trigger" then
    bequeath(event, K.event(waiting[i + 1]))
    drop("merged", id, "superseded", waiting[i + 1])
    return true
  end
  return false
end

local FIELDS = {"uid", "action", "accepted", "severity", "channel", "minimal", "attempts", "claims", "body", "last_place", "failed_place",
  "since", "tried", "members", "alert", "service", "down", "source"}
local function read(id)
  local event = {}
  for i, value in ipairs(redis.call("HMGET", K.event(id), unpack(FIELDS))) do event[FIELDS[i]] = value or nil end
  event.id = id
  return event
end

local function what_waits()  -- actions of the first entries, and where the last resolve among them stands
  local actions, last_resolve = {}, 0
  if #waiting > 1 then
    for i, id in ipairs(waiting) do
      actions[i] = redis.call("HGET", K.event(id), "action")
      if actions[i] == "resolve" then last_resolve = i end
    end
  end
  return actions, last_resolve
end

local function head_to_send()  -- lane entry, event id and event of the first one that nothing has overtaken, or nil
  local actions, last_resolve = what_waits()
  for i = 1, math.min(#waiting, WINDOW) do
    local id = waiting[i]
    local again = string.sub(id, 1, 1) == "~"  -- a resolve sent once more, see finish.lua
    local bare = again and string.sub(id, 2) or id
    local event = read(bare)
    if not event.action or again and #waiting > 1 then
      redis.call("LPOP", K.lane(lane))
    elseif again or not overtaken(id, event, actions, i, last_resolve) then
      if tonumber(event.claims or 0) < most_claims then return id, bare, event end
      redis.call("LPOP", K.lane(lane))
      if not again then bury(id, at, "poison", "its worker died " .. most_claims .. " times in mid-delivery") end
    end
  end
end

local function open_place(id, bare, event)  -- where an acknowledge or resolve must go next
  if id ~= bare then return event.last_place end
  local best, least
  for _, place in ipairs(places(K.alert(event.uid))) do
    if redis.call("HEXISTS", K.event(bare), "done:" .. place) == 0 then
      local channel, key_id = parts(place)
      local rest = math.max(shut(channel) or 0, rest_of(key_id))
      -- one that failed last has its turn after the others, one whose key rests after that
      local rank = rest > at and rest or place == event.failed_place and 1 or 0
      if not least or rank < least then best, least = place, rank end
    end
  end
  return best
end

local function place_to_follow(id, bare, event)  -- channel and key id an acknowledge or resolve goes to next
  local place = open_place(id, bare, event)
  if place then return parts(place) end
  return ARGV[CHANNELS], ARGV[CHANNELS + 1]
end

local function place_to_open(id, event)  -- channel and key id of a trigger or change, and when a trigger may move on to the next channel (or nil)
  local list, i = candidates(event.action), 1
  for j, candidate in ipairs(list) do if candidate[1] == event.channel then i = j end end
  local deadline = event.action == "trigger" and tonumber(event.since or event.accepted) + (cjson.decode(ARGV[5])[event.severity] or 0) or nil
  local was_tried = event.tried or tonumber(event.attempts) > 0
  local function answers_further_on()
    for j = i + 1, #list do if not shut(list[j][1]) then return true end end
  end
  local function reason_to_go_on()
    local pause, stop = rest_of(list[i][2])
    if stop > at then return "key_stopped" end
    if not deadline then return nil end
    local why = shut(list[i][1]) and "breaker_open" or at >= deadline and (was_tried or pause > at) and "deadline_passed"
    return why and answers_further_on() and why
  end
  local why = list[i + 1] and reason_to_go_on()
  while why do
    if why == "breaker_open" then redis.call("HSETNX", K.event(id), "down", down_since(way_of(list[i][1]), at)) end
    i, was_tried = i + 1, false
    record(at, id, "next_channel", why, list[i][1])
    redis.call("HSET", K.event(id), "channel", list[i][1])
    why = list[i + 1] and reason_to_go_on()
  end
  return list[i][1], list[i][2], list[i + 1] and deadline and at < deadline and deadline or nil
end

local from = string.match(lane, "@(.*)$")

local function joins(id, event, channel)  -- whether the event, the head of the lane, is told to people with others instead of being sent
  local spec = ARGV[7] ~= "{}" and cjson.decode(ARGV[7])[channel]
  if not spec or event.members or event.action ~= "trigger" then return false end
  local destination = string.sub(from, -#channel - 1) == ":" .. channel and from or from .. ":" .. channel
  joins_group(lane, id, event, destination, string.sub(redis.sha1hex(destination), 1, 32), spec, "{}", at)
  return true
end

local function waits_its_turn(event, key_id, limit, deadline)  -- the key's budget is spent, or others go first
  local rank = rank_of(event, key_id, at)
  if has_turn(lane, key_id, rank) and room(key_id, limit, rank, at, 0) then return false end
  park(lane, key_id, limit, ARGV[9], rank, tonumber(event.since or event.accepted), at)
  redis.call("HDEL", K.leases, lane)
  redis.call("ZREM", K.outbox_due, lane)
  if fold_least_urgent(key_id, limit, lane, at) == lane then return true end
  if deadline then
    redis.call("HSET", K.event(event.id), "tried", "1")
    redis.call("ZADD", K.outbox_due, math.min(deadline, at + SOON), lane)
  end
  return true
end

local function homeless()  -- the service is not configured here: somebody else may know it, but nobody waits for ever
  local head = waiting[1]
  if not head then return end
  local bare = string.gsub(head, "^~", "")
  if at - tonumber(redis.call("HGET", K.event(bare), "accepted") or 0) < GIVE_UP_AFTER then return give_back(at + 60000) end
  redis.call("LPOP", K.lane(lane))
  if bare == head then
    local service = redis.call("HGET", K.event(head), "service") or ""
    bury(head, at, "unknown_service", "no worker knows service '" .. service .. "' any more; add it, then replay this dead letter")
  end
  return give_back(at)
end

local id, bare, event, channel, key_id, deadline
local function next_to_send()  -- settles what is to be sent, and where
  id, bare, event = head_to_send()
  if not id then return end
  if event.action == "trigger" or event.action == "change" then
    channel, key_id, deadline = place_to_open(id, event)
  else
    channel, key_id = place_to_follow(id, bare, event)
  end
end

if ARGV[CHANNELS] then
  next_to_send()
  if id and joins(id, event, channel) then
    waiting = redis.call("LRANGE", K.lane(lane), 0, WINDOW)
    next_to_send()
    if id and joins(id, event, channel) then return give_back(at) end
  end
else
  local answer = homeless()
  if answer then return answer end
end
if not id and #waiting > WINDOW then return give_back(at) end
if not id then
  redis.call("ZREM", K.outbox_due, lane)
  redis.call("HDEL", K.leases, lane)
  if ARGV[8] ~= "{}" then unpark(lane) end
  lane_is_free(lane, at)
  return {"empty"}
end
local alert, endpoint, interval, burst = K.alert(event.uid), way_of(channel)
local rest, till = math.max(rest_of(key_id)), shut_until(endpoint, at)
if till then rest = math.max(rest, put_off(endpoint, till, at)) end
if rest > at then return give_back(math.min(rest, deadline or rest)) end
if tonumber(event.claims or 0) > 0 and ARGV[10] ~= "1" then return {"suspect"} end
local limit = ARGV[8] ~= "{}" and cjson.decode(ARGV[8])[channel]
if limit then
  if waits_its_turn(event, key_id, limit, deadline) then return {"wait"} end
  unpark(lane)
end
if interval ~= "0" then
  local wait = take_from("channel:" .. key_id, tonumber(interval), tonumber(burst), 1, at)
  if wait > 0 then return give_back(math.min(at + wait, deadline or at + wait)) end
end
take_probe(endpoint, token .. " " .. lane, lease, at)
if event.action == "trigger" then
  local is_fresh = book_try(alert, channel .. "|" .. key_id)
  if string.find(ARGV[11], '"' .. channel .. '"', 1, true) then wire_up(event.alert or event.uid, event.uid, channel, key_id, bare, is_fresh, at) end
end
local attempts = tonumber(event.attempts) + 1
redis.call("HSET", K.event(bare), "attempts", attempts, "claims", tonumber(event.claims or 0) + 1)
redis.call("ZADD", K.outbox_due, at + lease, lane)
record(at, bare, "attempt", channel, tostring(attempts))
if limit then spend(key_id, bare .. " " .. attempts, event.action == "trigger" and event.service, at) end
local function bundle()  -- what a bundle tells of, as tasks/notifications/letters.py reads it
  local known = redis.call("HMGET", K.event(bare), "open", "came_and_went", "is_reminder", "severity", "accepted", "began", "down")
  local labels = redis.call("HGET", alert, "labels")
  return {id = bare, members = event.members, open = tonumber(known[1]), came_and_went = tonumber(known[2]), is_reminder = known[3] == "1",
    severity = known[4], at = known[5], since = known[6], down = known[7], labels = labels or "{}"}
end

local function content()  -- of what has no body of its own
  return cjson.encode({event_action = event.action, dedup_key = redis.call("HGET", alert, "dedup_key"), bundle = event.members and bundle() or nil})
end
return {"send", id, event.action, channel, key_id, event.minimal or "", attempts, event.body or content(), deadline and deadline - at or -1, endpoint}
