-- Answers: what PagerDuty says of the incidents that alerts became there.
--   K.answers                own -> JSON, key id -> record: begun (when the first trigger of its episode began to be sent with this key, ms), last (when the
--                            newest did), channel, place (uid whose lane it went through), and once PagerDuty has shown its incident: id, number, status
--                            (triggered|acknowledged|resolved), at (of that status, by PagerDuty's clock), seen (first sign of it), who, url, into
--                            (the incident it was merged into); receipt (seen|unverified|missed: what PagerDuty had to show); past, past_id: number and id of the incident of the episode before
--   K.wired, K.incidents     lines `<key id> <own>`, see keys.py. `own` is the alert itself, or a group, whose members share its incident
--   K.homes                  key id -> ids of the PagerDuty services it leads to, where that is known
-- A record is the greatest of what was observed: by number of the incident, then by time, then by status. So the order in which observations come,
-- and how often, makes no difference. What is no news of the current episode's incident is passed over.
-- records_of(own), wire_up(own, place, channel, key_id, is_fresh, at): the latter is called when the send of a trigger begins.
-- absorb(own, key_id, seen, at): take in one observation; returns what it changed (see CHANGES) or nil.
-- include: ledger
-- include: inbox
-- include: receipt
-- include: escalation
local SLACK = 2000  -- milliseconds by which two clocks may differ
local RANKS_OF_STATUS = {triggered = 1, acknowledged = 2, resolved = 3}

local function add_line(index, field, line)
  local lines = redis.call("HGET", index, field) or ""
  if not string.find("\n" .. lines, "\n" .. line .. "\n", 1, true) then redis.call("HSET", index, field, lines .. line .. "\n") end
end

local function take_line(index, field, line)
  local left = ""
  for other in string.gmatch(redis.call("HGET", index, field) or "", "[^\n]+") do
    if other ~= line then left = left .. other .. "\n" end
  end
  if left == "" then redis.call("HDEL", index, field) else redis.call("HSET", index, field, left) end
end

local function wire_of(own)
  local known = redis.call("HMGET", K.alert(own), "wire", "dedup_key")
  return known[1] or known[2] or ""
end

local function is_at_home(key_id, service)
  local homes = redis.call("HGET", K.homes, key_id)
  return not homes or not service or service == "" or string.find(" " .. homes .. " ", " " .. service .. " ", 1, true) ~= nil
end

local function put_answer(uid, action, seen, at)  -- the answer goes the way of all news, so that all others who were told hear of it
  local service, dedup_key = unpack(redis.call("HMGET", K.alert(uid), "service", "dedup_key"))
  local id = string.format("pagerduty:%s:%d:%s:%s", seen.id, seen.at, uid, action)
  local by = (seen.who or "") ~= "" and " by " .. seen.who or ""
  local said = (action == "resolve" and "Resolved" or "Acknowledged") .. by .. " in PagerDuty"
  local name = seen.number > 0 and string.format("Incident #%d", seen.number) or "Incident"
  local alert = {service = service, event_action = action, dedup_key = dedup_key, payload = {custom_details = {description = said}}}
  if seen.url ~= "" then alert.links = {{href = seen.url, text = name}} end
  into_inbox(id, at, string.format("%d", at), "pagerduty", cjson.encode(alert))
end

local function covers(status, action)  -- whether an incident of that status needs no such event any more
  return status == "resolved" or action == "acknowledge" and status == "acknowledged"
end

local function owner_of(place)
  local of = redis.call("HGET", K.alert(place), "copy_of")
  return of and of ~= "" and of or place
end

local function concerned(own)  -- uids of the alerts an incident of `own` stands for: of a group, those whose news its readers were told
  if redis.call("HEXISTS", K.alert(own), "spec") == 0 then return {own} end
  local found = {}
  for _, place in ipairs(redis.call("HKEYS", K.members(own))) do
    if redis.call("HEXISTS", K.alert(place), "heard:" .. own) == 1 then found[#found + 1] = owner_of(place) end
  end
  return found
end

local function is_older_news(uid, seen)  -- whether the alert fired anew since
  local fired = tonumber(redis.call("HGET", K.alert(uid), "fired") or 0)
  return fired > seen.at + SLACK
end

local function reopen(uid, known, seen, at)  -- what PagerDuty closed, PagerDuty has opened again
  local status, closed = unpack(redis.call("HMGET", K.alert(uid), "status", "closed_by_answer"))
  if status ~= "resolved" or not closed or seen.at <= tonumber(closed) then return false end
  redis.call("HSET", K.alert(uid), "status", seen.status == "acknowledged" and "acknowledged" or "open", "since", string.format("%d", seen.at), "episode", 1)
  redis.call("HSET", K.alert(known.place), "on:" .. known.channel .. "|" .. known.key_id, "sent", "episode", 1)
  redis.call("HDEL", K.alert(uid), "closed_by_answer", "last_sign")
  reopened_escalation(uid, at)
  if seen.status == "acknowledged" then
    redis.call("HSET", K.alert(uid), "acknowledged_by_answer", 1)
    acknowledged_escalation(uid, at)
  end
  return true
end

local function act_on(uid, known, seen, was, at)
  local status = redis.call("HGET", K.alert(uid), "status")
  if seen.status == "resolved" then
    if status ~= "resolved" and seen.at + SLACK >= known.last and not is_older_news(uid, seen) then put_answer(uid, "resolve", seen, at) end
  elseif reopen(uid, known, seen, at) then
    return
  elseif seen.status == "acknowledged" then
    if status ~= "open" then return end
    acknowledged_escalation(uid, at)  -- at once: nobody is to be called while the answer is on its way
    put_answer(uid, "acknowledge", seen, at)
  elseif status == "acknowledged" and (was == "acknowledged" or redis.call("HEXISTS", K.alert(uid), "acknowledged_by_answer") == 1) then
    redis.call("HSET", K.alert(uid), "status", "open")
    redis.call("HDEL", K.alert(uid), "acknowledged_by_answer")
    unacknowledged_escalation(uid, at, "unacknowledged")
  elseif status == "open" then
    unacknowledged_escalation(uid, at, "unacknowledged")
  end
end

local CHANGES = {  -- status before (none: it was not seen) and now -> the word for it
  none = {triggered = "seen", acknowledged = "acknowledged", resolved = "resolved"},
  triggered = {acknowledged = "acknowledged", resolved = "resolved"},
  acknowledged = {triggered = "unacknowledged", resolved = "resolved"},
  resolved = {triggered = "reopened", acknowledged = "reopened"},
}

local function is_from_before(known, seen)  -- it was over when the newest trigger began to be sent, so it is not what became of that
  return seen.status == "resolved" and (seen.into or "") == "" and seen.at + SLACK < known.last
end

local function is_current(known, seen)  -- whether it is about the record's incident: 1 = it is, 2 = about a newer one, nil = about an older one
  if seen.id == known.id or seen.id == known.into then return 1 end
  if seen.id == known.past_id or seen.number > 0 and seen.number <= (known.past or 0) then return nil end
  if not known.id then return not is_from_before(known, seen) and 2 or nil end
  return seen.number > (known.number or 0) and 2 or nil
end

local function is_later(known, seen)
  if seen.at ~= known.at then return seen.at > known.at end
  return RANKS_OF_STATUS[seen.status] > RANKS_OF_STATUS[known.status]
end

local function told_of(own)  -- the event in whose story the answer stands
  local known = redis.call("HMGET", K.alert(own), "opened_by", "last_id")
  return known[1] or known[2]
end

local function note_answer(own, change, seen, at)
  local id = told_of(own)
  if not id then return end
  local number = seen.number > 0 and string.format("#%d ", seen.number) or ""
  local by = change ~= "seen" and (seen.who or "") ~= "" and " by " .. seen.who or ""
  record(at, id, "answered", change, number .. seen.id .. by)
end

local function turn_to(own, key_id, known, seen)  -- the record is of that incident from now on
  for _, incident in ipairs({known.id or "", known.into or ""}) do take_line(K.incidents, incident, key_id .. " " .. own) end
  add_line(K.incidents, seen.id, key_id .. " " .. own)
  known.id, known.number, known.seen = seen.id, seen.number, seen.seen
  known.status, known.at, known.who, known.url, known.into = nil, nil, nil, nil, nil
end

local function redirect(own, key_id, known, seen, at)  -- it was merged into another incident, where its alerts go on
  if known.into == seen.into then return nil end
  add_line(K.incidents, seen.into, key_id .. " " .. own)
  known.into = seen.into
  keep_record(own, key_id, known)
  note_answer(own, "merged into " .. seen.into, seen, at)
  return "merged"
end

local function end_without_members(own, place)  -- a person has ended what stood for members nobody knows; no resolve of theirs will
  if redis.call("HDEL", K.members(own), NOBODY) == 0 or redis.call("EXISTS", K.members(own), K.buffer(own)) > 0 then return end
  local group = K.alert(own)
  local destination = redis.call("HGET", group, "service")
  if not destination or redis.call("EXISTS", K.lane(own .. "@" .. destination)) == 1 then return end
  redis.call("HSET", group, "status", "resolved")
  redis.call("HDEL", group, "episode", "severity", "began", "on:" .. place)
end

local function absorb(own, key_id, seen, at)
  local known = records_of(own)[key_id]
  local way = known and is_current(known, seen)
  if not way then return nil end
  if not known.id and not known.rebuilt then first_sign(own, key_id, seen.seen - known.begun, at) end
  if way == 2 then turn_to(own, key_id, known, seen) end
  if (seen.into or "") ~= "" then return redirect(own, key_id, known, seen, at) end
  local was = known.status or "none"
  local is_news = was == "none" or is_later(known, seen)
  known.seen = math.min(known.seen, seen.seen)
  if seen.url ~= "" then known.url = seen.url end
  if is_news then known.status, known.at, known.who = seen.status, seen.at, seen.who end
  keep_record(own, key_id, known)
  if not is_news then return nil end
  local change = CHANGES[was][seen.status]
  if change then note_answer(own, change, seen, at) end
  known.key_id = key_id
  if seen.status == "resolved" then end_without_members(own, known.channel .. "|" .. key_id) end
  for _, uid in ipairs(concerned(own)) do act_on(uid, known, seen, was, at) end
  return change
end
