-- include: answer
-- include: places
-- Answers that came from PagerDuty are not sent back there.
-- said_by_all(id, event): the reason why an acknowledge or resolve is not sent anywhere, where all places that have the alert open gave it
--   themselves; where only some did, those are marked as done (`done:<place>` = answered), and nil. A resolved alert is open nowhere then.
-- why_resolved(id): the reason why a resolve makes an unsent trigger pointless.
-- still_answers(id): whether the answer that event `id` brings is PagerDuty's last word, and the alert did not fire again since.
local BY_PAGERDUTY = {resolve = "resolved_by_pagerduty", acknowledge = "acknowledged_by_pagerduty"}

local function is_from_there(event)  -- of a bundle, whether all that it tells of is
  if not event.members then return event.source == "pagerduty" end
  for member in string.gmatch(event.members, "[^\n]+") do
    if redis.call("HGET", K.event(member), "source") ~= "pagerduty" then return false end
  end
  return event.members ~= ""
end

local function close_places(alert)
  for _, place in ipairs(places(alert)) do redis.call("HDEL", alert, "on:" .. place) end
end

local function said_by_all(id, event)
  local alert = K.alert(event.uid)
  local list = places(alert)
  if #list == 0 or not is_from_there(event) then return nil end
  local records, left = records_of(event.alert or event.uid), 0
  for _, place in ipairs(list) do
    local _, key_id = parts(place)
    local known = records[key_id]
    if known and known.status and covers(known.status, event.action) then
      redis.call("HSET", K.event(id), "done:" .. place, "answered")
    else
      left = left + 1
    end
  end
  if left > 0 then return nil end
  if event.action == "resolve" then close_places(alert) end
  return BY_PAGERDUTY[event.action]
end

local function why_resolved(id)
  return redis.call("HGET", K.event(id), "source") == "pagerduty" and BY_PAGERDUTY.resolve or "resolved_before_send"
end

local function still_answers(id)
  local incident, at, uid, action = string.match(id, "^pagerduty:([^:]+):(%d+):([^:]+):(%a+)$")
  if not incident then return true end
  if action == "resolve" and is_older_news(uid, {at = tonumber(at)}) then return false end
  for key_id, own in string.gmatch(redis.call("HGET", K.incidents, incident) or "", "(%S+) (%S+)\n") do
    local known = records_of(own)[key_id]
    if known and known.status and (known.id == incident or known.into == incident) then return covers(known.status, action), tonumber(at) end
  end
  return false
end
