-- rebuild: make an alert known again that PagerDuty shows open and that this data set may not know. Safe to run twice.
--   K.alert(uid), K.alert(place)   see accept.lua; K.wired and the records of incidents, see lib/answer.lua
--   K.event(id)                    one event that stands for what was sent before the loss; K.closed, K.alerts, K.labels, K.ledger, K.inbox, K.hints
--   K.epoch                        what was opened before is what this data set cannot know
--   ARGV   JSON: uid, service, dedup_key, status (open|acknowledged), created (ms, by PagerDuty's clock), destination, place (uid there), channel, key_id,
--          incident, event (id), labels (see kept_labels.py); of a member of a group also group, is_over (what PagerDuty was told of it last is its end);
--          "1" = only say what would be done
-- Returns known · joined (open here, now at this place, too) · rebuilt · resolved_again (resolved here since the loss, when nobody knew where it was
-- open: its resolve goes out once more) · ended (resolved here: on its way, or opened by somebody else since) · over (open here, and its group has told
-- that it is over: resolved here, too).
-- include: clock
-- include: wire
-- include: shrink
-- include: group
local asked, only_say = cjson.decode(ARGV[1]), ARGV[2] == "1"
local at = now()
local stamp, created = string.format("%d", at), string.format("%d", asked.created)
local uid, place, service = asked.uid, asked.place, asked.service
local alert, home, on = K.alert(uid), K.alert(place), "on:" .. asked.channel .. "|" .. asked.key_id
local status, since = unpack(redis.call("HMGET", alert, "status", "since"))

local function is_from_before_the_loss()
  return asked.created < tonumber(redis.call("GET", K.epoch) or 0)
end

local function is_there_already()
  if asked.group then return redis.call("HGET", home, "group") == asked.group end
  return redis.call("HEXISTS", home, on) == 1
end

local function what_it_is()
  if asked.is_over then
    local fired = tonumber(redis.call("HGET", alert, "fired") or 0)
    return (status == "open" or status == "acknowledged") and is_there_already() and fired <= asked.created and "over" or "ended"
  end
  if status == "open" or status == "acknowledged" then return is_there_already() and "known" or "joined" end
  if not status then return "rebuilt" end
  local again = "sync:" .. asked.incident .. ":" .. uid .. ":resolve"
  local is_asked = redis.call("EXISTS", K.event(again)) == 1 or redis.call("HEXISTS", K.inbox, again) == 1
  if not is_asked and is_from_before_the_loss() and tonumber(since or 0) >= asked.created then return "resolved_again" end
  return "ended"
end

local function lead_there()  -- what follows the alert goes to this destination, too
  local lines, own = redis.call("HGET", alert, "routes"), service .. " " .. uid .. "\n"
  local line = asked.destination .. " " .. place .. "\n"
  if place == uid and not lines then return end
  lines = lines or redis.call("HEXISTS", alert, "episode") == 1 and own or ""
  if not string.find("\n" .. lines, "\n" .. line, 1, true) then redis.call("HSET", alert, "routes", lines .. line) end
end

local function open_there()
  lead_there()
  if place ~= uid then
    redis.call("HSET", home, "copy_of", uid, "service", asked.destination, "dedup_key", asked.dedup_key, "status", asked.status)
    redis.call("ZADD", K.alerts, stamp, place)
  end
  if not asked.group then return redis.call("HSET", home, on, "sent", "episode", 1) end
  lead_to(place, asked.group)
  redis.call("HSET", K.members(asked.group), place, asked.status)
  redis.call("HSET", home, "heard:" .. asked.group, 1)
end

local function wire_there()
  if asked.group then return end  -- it shares the incident of its group
  local known = records_of(uid)[asked.key_id]
  if known and known.status ~= "resolved" then return end
  keep_record(uid, asked.key_id, {begun = asked.created, last = asked.created, channel = asked.channel, place = place, rebuilt = true})
  add_line(K.wired, wire_of(uid), asked.key_id .. " " .. uid)
end

local function stand_for_them()  -- the event that stands for what was sent before
  if redis.call("EXISTS", K.event(asked.event)) == 1 then return end
  redis.call("HSET", K.event(asked.event), "state", "sent", "reason", asked.channel, "uid", place, "action", "trigger", "accepted", stamp)
  shrink(asked.event, at)
  record(at, asked.event, "accepted", "trigger", service .. " " .. uid)
  record(at, asked.event, "rebuilt", asked.channel, asked.incident)
end

local function make_known()
  redis.call("HSET", alert, "service", service, "dedup_key", asked.dedup_key, "status", asked.status, "since", created,
    "last_id", asked.event, "last_sign", "", "last_at", stamp, "opened_by", asked.event, "fired", created)
  redis.call("ZADD", K.alerts, stamp, uid)
  redis.call("HSET", K.labels, uid, asked.labels)
  stand_for_them()
end

local function resolve_again()
  local id = "sync:" .. asked.incident .. ":" .. uid .. ":resolve"
  local news = {service = service, event_action = "resolve", dedup_key = asked.dedup_key}
  into_inbox(id, at, stamp, "sync", cjson.encode(news))
end

local word = what_it_is()
if only_say or word == "ended" then return word end
if word == "known" then
  wire_there()
  return word
end
if word == "over" then
  resolve_again()
  return word
end
if word == "rebuilt" or word == "resolved_again" then make_known() end
open_there()
wire_there()
if word == "resolved_again" then resolve_again() end
return word
