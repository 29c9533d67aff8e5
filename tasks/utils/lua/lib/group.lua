-- Groups: news of several alerts told in one message. The first word at once, what comes within `wait` of it in bundles.
--   The lane of a group is `<group>@<destination>`. Its bundles stand there, sealed (see seal.lua), one at a time.
--   K.buffer(group)   ids of news not told yet, in order; what was closed meanwhile is passed over
--   K.members(group)  place (uid of an alert, or of its copy) -> open | acknowledged
--   K.alert(group)    spec (`<wait, ms> <most news in a bundle> <repeat, ms> <1 = for people to read>`), labels (JSON), count (news in the buffer),
--                     window (until when news waits, ms), told (when the last bundle was sealed), came_and_went (alerts over before they were told),
--                     severity (the worst of the episode), began (when the episode did), waits (when the next bundle is due, while one is on its way);
--                     and what an alert has: service (its destination), dedup_key, status, episode, on:…
--   K.alert(place)    group (while it is a member), unsaid (ids of its news in the buffer, a line each), heard:<group> (1 = its readers were told, or are
--                     being told, that it fires, and not yet that it is over), ending:<group> (1 = they are being told that it is over); see close.lua
--   K.untold          id of news in a buffer -> when it was accepted
--   K.groups_due      lane -> when the next bundle is sealed
-- due_for_bundle(lane, due, at): have a bundle sealed then, or sooner if it was to be sooner.
-- tell(id, place, group, lane, is_urgent, at): put news into the buffer of its group.
-- unsay(id, place, group): take news out of what is to be told; its story is the caller's business.
-- group_at(destination, group, spec, labels, at): have such a group; lead_to(place, group): make an alert (or its copy) a member of it.
-- lane_is_free(lane, at): called when a lane has nothing left to send: the group's next bundle may be sealed.
-- include: remake
local RANKS = {critical = 4, error = 3, warning = 2, info = 1}

local function due_for_bundle(lane, due, at)
  redis.call("ZADD", K.groups_due, "LT", string.format("%d", due), lane)
  if due <= at then return hint("digest", at) end
  if redis.call("ZRANGE", K.groups_due, 0, 0)[1] == lane then
    redis.call("LPUSH", K.wake, "1")
    redis.call("LTRIM", K.wake, 0, 3)
  end
end

local function spec_of(group)  -- wait, most news in a bundle, repeat (ms), whether for people
  local spec = redis.call("HGET", K.alert(group), "spec") or "30000 50 0 1"
  local wait, most, again, words = string.match(spec, "(%d+) (%d+) (%d+) (%d)")
  return tonumber(wait), tonumber(most), tonumber(again), words == "1"
end

local function group_at(destination, group, spec, labels, at)
  redis.call("HSET", K.alert(group), "copy_of", "", "service", destination, "dedup_key", "tocsin-group-" .. group, "spec", spec, "labels", labels,
    "status", "open")
  redis.call("ZADD", K.alerts, string.format("%d", at), group)
end

local function lead_to(place, group)
  redis.call("HSET", K.alert(place), "group", group)
  redis.call("HSETNX", K.members(group), place, "open")
end

local function tell(id, place, group, lane, is_urgent, at)
  local wait, most = spec_of(group)
  redis.call("RPUSH", K.buffer(group), id)
  redis.call("ZADD", K.untold, string.format("%d", at), id)
  redis.call("HSET", K.alert(place), "unsaid", (redis.call("HGET", K.alert(place), "unsaid") or "") .. id .. "\n")
  local count = redis.call("HINCRBY", K.alert(group), "count", 1)
  local window = tonumber(redis.call("HGET", K.alert(group), "window") or 0)
  if is_urgent or count >= most or window - at > wait then window = at end  -- more than there can be: the clock was set back
  due_for_bundle(lane, math.max(at, window), at)
end

local function unsay(id, place, group)
  redis.call("ZREM", K.untold, id)
  local before, left = redis.call("HGET", K.alert(place), "unsaid") or "", ""
  for other in string.gmatch(before, "[^\n]+") do
    if other ~= id then left = left .. other .. "\n" end
  end
  if left == "" then redis.call("HDEL", K.alert(place), "unsaid") else redis.call("HSET", K.alert(place), "unsaid", left) end
  if #before > LONG and #left <= LONG then remake(K.alert(place)) end
  redis.call("HINCRBY", K.alert(group), "count", -1)
end

local function lane_is_free(lane, at)
  local group = K.alert(string.match(lane, "^([^@]*)"))
  local waits = redis.call("HGET", group, "waits")
  if not waits then return end
  redis.call("HDEL", group, "waits")
  due_for_bundle(lane, tonumber(waits), at)
end
