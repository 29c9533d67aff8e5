-- accept: decide on one alert and write the decision as a whole: event, alert, lanes, due times, holds, ledger.
--   K.event(id)    state (queued|sent|merged|suppressed|dead), reason, uid, lane, service, action, severity, body, summary, source, received,
--                  accepted, attempts, claims (handed out without an outcome), minimal, channel, into, alert (uid of the alert, where `uid`
--                  is that of a copy), since, tried (of the news it supersedes: since when the alert waits, whether it was sent before),
--                  replayed (see lib/overtaken.lua), undecided (see refuse.lua); once its story has ended, only those of lib/shrink.lua
--   K.alert(uid)   the alert itself: service, dedup_key, status (open|acknowledged|resolved), since (it fires or is resolved), last_id, last_sign, last_at, repeats,
--                  routes (destination and uid of the open episode, a line each; none = the service's own way only); see also lib/hold.lua, lib/flap.lua, lib/inhibit.lua
--                  each of its destinations: episode (1 once a trigger is on its way), newest (its last trigger), unclear, and "on:<channel>|<key id>" = try|unclear|sent
--                  for every place that may hold it open. The service's own destination is the alert's own hash; another's is a hash of its
--                  own with copy_of (uid of the alert), service (the destination), dedup_key, status.
--   K.lane(lane), K.outbox_due, K.queued, K.inbox_due, K.inbox, K.inbox_tries, K.alerts, K.closed, K.rules_version, K.holds_due, K.held(hold),
--   K.inhibitors(hold), K.rates(minute) (how many alerts the service got), K.labels (uid -> labels at the last trigger, see kept_labels.py), K.ledger, K.hints
--   ARGV           id, uid, service, dedup key, action, severity, sign, window (ms), body, summary, source, received (ms; "" = it never was in the
--                  inbox), adaptations (JSON list or ""), labels (JSON or ""), version of the rules, rules that match (see lib/hold.lua or ""),
--                  holds it may feed (JSON list of names or ""), flapping (see lib/flap.lua or ""), body of the announcement of flapping (or ""), the dedup key as PagerDuty gets it ("" = as it is),
--                  how a new episode escalates (see lib/escalation.lua, or ""), then for each destination its name, the uid there, and its group: `<group>\n<spec>\n<1 = urgent>\n<labels>` (see lib/group.lua), "" for none
-- An event whose sign equals the key's last one within the window is merged into that one, unless a held one turned the alert in between.
-- An acknowledge or resolve goes where the open episode went. A copy is an event of its own, `<id>+<destination>` with `~` for its slash, which a path of the API could not hold. Safe to run twice.
-- Returns state, reason, into; {"stale"} when the rules have changed: nothing was done, ask again with the new ones.
-- include: clock
-- include: ledger
-- include: hint
-- include: known
-- include: hold
-- include: inhibit
-- include: flap
-- include: close
-- include: group
-- include: overtaken
-- include: rate
-- include: answered
-- include: escalation
local id, uid, service, dedup_key, action = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local severity, sign, window, body, summary = ARGV[6], ARGV[7], tonumber(ARGV[8]), ARGV[9], ARGV[10]
local source, received, adaptations, labels, version = ARGV[11], ARGV[12], ARGV[13], ARGV[14], ARGV[15]
local rules, feeds, flapping, announcement, wire, escalation = ARGV[16], ARGV[17], ARGV[18], ARGV[19], ARGV[20], ARGV[21]
local DESTINATIONS = 22  -- where they begin in ARGV

if (redis.call("GET", K.rules_version) or "0") ~= version then return {"stale"} end
local before, let_go_before, newer, first_accepted, last_accepted = decided(id, received ~= "")
if before then return before end
local at = now()
local stamp = string.format("%d", at)
local alert = K.alert(uid)
local last = redis.call("HMGET", alert, "last_id", "last_sign", "last_at", "status", "routes", "since", "feeds", "held", "episode", "released")
local was = last[4] or "resolved"
local has_episode = was ~= "resolved" or last[8] or last[10]  -- a resolve that is held back has not ended it yet
local status = (action == "resolve" or was == "resolved") and "resolved" or "acknowledged"
if action == "trigger" then status = was == "acknowledged" and "acknowledged" or "open" end

local function note(event_id, state, reason, more)  -- the event's own hash
  redis.call("HSET", K.event(event_id), "state", state, "reason", reason, "service", service, "action", action, "severity", severity,
    "summary", summary, "source", source, "received", received == "" and stamp or received, "accepted", stamp, "attempts", 0, unpack(more))
end

local is_announced = false

local function accepted(event_id)
  record(at, event_id, "accepted", action, service .. " " .. uid .. (action == "trigger" and " " .. severity or ""))
  if is_announced then record(at, event_id, "adapted", "flapping_announced") end
  if adaptations ~= "" then record(at, event_id, "adapted", adaptations) end
end

local function on_lane(event_id, lane)
  redis.call("ZADD", K.queued, stamp, event_id)
  local waiting = redis.call("RPUSH", K.lane(lane), event_id)
  if waiting == 2 and string.sub(redis.call("LINDEX", K.lane(lane), 0), 1, 1) == "~" and redis.call("HEXISTS", K.leases, lane) == 0 then
    redis.call("LPOP", K.lane(lane))  -- a resolve's repeat that waits for its time: news makes it pointless
    waiting = 1
  end
  local function has_another_severity()
    return action == "trigger" and last[2] and string.match(last[2], "^[^:]*") ~= severity
  end
  if waiting == 1 then
    redis.call("ZADD", K.outbox_due, stamp, lane)
  elseif has_another_severity() and redis.call("HEXISTS", K.leases, lane) == 0 then
    redis.call("ZADD", K.outbox_due, "LT", stamp, lane)  -- another severity has another patience: look at once
  end
end

local function is_open_alone(destination, place)  -- it was opened before its destination had groups: what follows goes the same way
  if redis.call("EXISTS", K.lane(place .. "@" .. destination)) == 1 then return true end
  for _, field in ipairs(redis.call("HKEYS", K.alert(place))) do
    if string.sub(field, 1, 3) == "on:" then return true end
  end
  return false
end

local function group_for(destination, place, line)  -- the group that is told, or nil; whether only the group knows such news
  local known = redis.call("HGET", K.alert(place), "group")
  if known or line == "" or action == "change" or is_open_alone(destination, place) then return known end
  local group, spec, labels = string.match(line, "^([^\n]+)\n([^\n]+)\n%d\n(.*)$")
  if action ~= "trigger" then return nil, string.sub(spec, -1) == "1" end
  redis.call("HDEL", K.alert(place), "episode")
  group_at(destination, group, spec, labels, at)
  lead_to(place, group)
  return group
end

local function ends_unsaid(event_id, place, group)  -- what this news makes pointless; true if nothing of the alert was told, so that its resolve has nothing to end
  for other in string.gmatch(redis.call("HGET", K.alert(place), "unsaid") or "", "[^\n]+") do
    local said, of = unpack(redis.call("HMGET", K.event(other), "action", "group"))
    local is_over = of == group and (said == action or action == "resolve")
    if is_over and said == action then
      redis.call("HSET", K.event(other), "into", event_id)
      end_story(other, at, "merged", "superseded", event_id)
    elseif is_over then
      end_story(other, at, "suppressed", said == "trigger" and "resolved_before_send" or "nothing_was_sent")
    end
    if is_over then unsay(other, place, group) end
  end
  if action ~= "resolve" then return false end
  redis.call("HDEL", K.members(group), place)
  redis.call("HDEL", K.alert(place), "group")
  local known = redis.call("HMGET", K.alert(place), "heard:" .. group, "ending:" .. group)
  if redis.call("EXISTS", K.members(group)) == 0 then redis.call("HSET", K.alert(group), "status", "resolved") end
  return not known[1] or known[2]
end

local answer = {"queued", "", ""}

local function nothing_was_sent(event_id)
  end_story(event_id, at, "suppressed", "nothing_was_sent")
  if event_id == id then answer = {"suppressed", "nothing_was_sent", ""} end
end

local function to_group(event_id, destination, place, group, is_urgent)
  local lane = group .. "@" .. destination
  note(event_id, "queued", "", {"uid", place, "group", group, "body", body, "alert", uid})
  if ends_unsaid(event_id, place, group) then
    redis.call("HINCRBY", K.alert(group), "came_and_went", 1)
    return nothing_was_sent(event_id)
  end
  tell(event_id, place, group, lane, is_urgent, at)
end

local function send_to(event_id, destination, place, line)
  local lane = place .. "@" .. destination
  accepted(event_id)
  if place ~= uid and action ~= "change" then
    redis.call("HSET", K.alert(place), "copy_of", uid, "service", destination, "dedup_key", dedup_key, "status", status)
    redis.call("ZADD", K.alerts, stamp, place)
  end
  local group, is_group_news = group_for(destination, place, line)
  if action == "trigger" then redis.call("HSET", K.alert(place), "newest", event_id, unpack(group and {} or {"episode", 1})) end
  if group then return to_group(event_id, destination, place, group, string.find(line, "\n1\n", 1, true) ~= nil) end
  note(event_id, "queued", "", {"uid", place, "lane", lane, "body", body, "alert", uid})
  if is_group_news then return nothing_was_sent(event_id) end
  on_lane(event_id, lane)
end

local function destinations()  -- pairs; an acknowledge or resolve follows the open episode
  if action ~= "trigger" and action ~= "change" and (last[5] or last[9] or has_episode) then
    local followed = {}
    for destination, place in string.gmatch(last[5] or service .. " " .. uid, "(%S+) (%S+)") do followed[#followed + 1] = {destination, place, ""} end
    return followed
  end
  local asked = {}
  for i = DESTINATIONS, #ARGV, 3 do asked[#asked + 1] = {ARGV[i], ARGV[i + 1], ARGV[i + 2]} end
  return asked
end

local function remember(to)  -- where the open episode went, for what follows it; nothing is said of one that went the service's own way only
  local before = has_episode and (last[5] or service .. " " .. uid .. "\n") or ""
  if #to == 1 and to[1][2] == uid and (before == "" or not last[5]) then
    if last[5] then redis.call("HDEL", alert, "routes") end
    return
  end
  local lines, seen = before, {}
  for destination in string.gmatch(lines, "(%S+) %S+") do seen[destination] = true end
  for _, pair in ipairs(to) do
    if not seen[pair[1]] then lines = lines .. pair[1] .. " " .. pair[2] .. "\n" end
  end
  redis.call("HSET", alert, "routes", lines)
end

local function copy_for(destination)
  return id .. "+" .. string.gsub(destination, "/", "~")
end

local function queue()
  local to = destinations()
  if action == "trigger" then remember(to) end
  if status == "open" and action == "trigger" and escalation ~= "" then start_escalation(uid, service, redis.call("HGET", alert, "since"), at, escalation) end
  for i, pair in ipairs(to) do
    local event_id = i == 1 and id or copy_for(pair[1])
    if i == 1 or redis.call("EXISTS", K.event(event_id)) == 0 then send_to(event_id, pair[1], pair[2], pair[3]) end
  end
  hint("delivery", at)
  return answer
end

local function merge_into(other, reason)
  accepted(id)
  note(id, "merged", reason, {"uid", uid, "into", other})
  redis.call("HINCRBY", alert, "repeats", 1)
  shrink(id, at)
  record(at, id, "merged", reason, other)
  return {"merged", reason, other}
end

local function too_late()  -- its resolve was decided on while a dead letter that was replayed waited in the inbox
  accepted(id)
  note(id, "suppressed", "resolved_before_send", {"uid", uid})
  shrink(id, at)
  record(at, id, "suppressed", "resolved_before_send")
  return {"suppressed", "resolved_before_send", ""}
end

local function outdated()  -- an answer from PagerDuty that is its last word no longer, or what was said again and is over
  accepted(id)
  note(id, "suppressed", "overtaken", {"uid", uid})
  shrink(id, at)
  record(at, id, "suppressed", "overtaken")
  return {"suppressed", "overtaken", ""}
end

local function places_it_goes_to()  -- by the routes of now; a copy that was made before is not made again
  local places = {ARGV[DESTINATIONS + 1]}
  for i = DESTINATIONS + 3, #ARGV, 3 do
    if redis.call("EXISTS", K.event(copy_for(ARGV[i]))) == 0 then places[#places + 1] = ARGV[i + 1] end
  end
  return places
end

local function suppress(name, hold)
  accepted(id)
  note(id, "suppressed", name, {"uid", uid, "body", body})
  keep_back(uid, id, name, hold, at)
  if action == "trigger" and not has_episode and name ~= "flapping" then
    redis.call("HDEL", alert, "routes")
    redis.call("HSET", alert, "episode", 1)  -- begun, with nothing sent: an acknowledge or resolve of it goes nowhere
  end
  return {"suppressed", name, hold}
end

if not (first_accepted or let_go_before) then count(service, tonumber(received) or at) end
if action == "change" then return queue() end
local closed_at = nil  -- when PagerDuty closed the alert
if source == "pagerduty" or source == "sync" then
  local stands, answered_at = still_answers(id)
  if not stands or was == "resolved" then return outdated() end
  closed_at = action == "resolve" and answered_at or nil
end
if first_accepted and action == "trigger" then
  local reason, other = overtaken(id, uid, places_it_goes_to(), first_accepted, last_accepted)
  if reason then return other and merge_into(other, reason) or too_late() end
end
if first_accepted then redis.call("HDEL", K.event(id), "undecided") end
if let_go_before and last[10] ~= id then return merge_into(newer or last[8] or last[1] or "", "superseded") end
if last[10] and action ~= "acknowledge" then  -- what was let go and not decided on yet is outdated by this
  redis.call("HDEL", alert, "released")
  if last[10] ~= id and redis.call("HEXISTS", K.event(last[10]), "released") == 1 then redis.call("HSET", K.event(last[10]), "into", id) end
end

local turned = action == "trigger" and was == "resolved" or action == "resolve" and was ~= "resolved"
redis.call("HSET", alert, "service", service, "dedup_key", dedup_key, "status", status, "since", not turned and last[6] or stamp)
redis.call("ZADD", K.alerts, stamp, uid)
if wire ~= "" then redis.call("HSET", alert, "wire", wire) end
if turned and last[4] then redis.call("HDEL", alert, "closed_by_answer", "acknowledged_by_answer") end
if action == "acknowledge" and source == "pagerduty" and was == "open" then redis.call("HSET", alert, "acknowledged_by_answer", 1) end
if action == "acknowledge" and was == "open" then acknowledged_escalation(uid, at) end
if action == "resolve" then end_escalation(uid, at, "cancelled", "resolved") end
if turned and closed_at then redis.call("HSET", alert, "closed_by_answer", string.format("%d", closed_at)) end
if action == "trigger" then redis.call("HSET", K.labels, uid, labels) end
if action ~= "acknowledge" and (feeds ~= "" or last[7]) and feed(uid, feeds, at) then hint("alert", at) end

local name, hold = nil, nil
if action == "trigger" then name, hold = holder(rules, uid, at, feeds ~= "") end
if action ~= "acknowledge" then
  local flap = flaps(uid, turned, flapping, at, action == "trigger" and not name)
  if flap == "begins" then
    is_announced, body, sign = true, announcement, ""
  elseif flap == "goes_on" and not name then
    name, hold = "flapping", "flap:" .. uid
  end
end
if name then return suppress(name, hold) end

if action ~= "acknowledge" and last[8] then let_go(uid, at) end
if sign ~= "" and not turned and last[2] == sign and at - tonumber(last[3]) < window then return merge_into(last[1], "duplicate") end
local fired = action == "trigger" and {"fired", received == "" and stamp or received} or {}
redis.call("HSET", alert, "last_id", id, "last_sign", sign, "last_at", stamp, unpack(fired))
return queue()
