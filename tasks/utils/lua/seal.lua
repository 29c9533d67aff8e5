-- seal: make a bundle of the news of every group that is due. What is sealed does not change any more: every try sends the same members under the
-- same id, and no news is in two bundles. A group has one bundle on its way at a time; meanwhile its news gathers, and what resolves is not told.
--   K.groups_due, K.buffer(group), K.members(group), K.alert(group), K.alert(place)   see lib/group.lua
--   K.event(bundle)   as that of an event whose uid is the group; and members (ids, a line each), open (members of the group not resolved),
--                     came_and_went, began, is_reminder. Its id: `bundle-<epoch>-<number>`
--   K.event(id)       bundle (the one it is told in)
--   K.lane(lane), K.outbox_due, K.queued, K.alerts, K.epoch, K.bundle_number, K.ledger, K.hints, K.wake
--   ARGV              most groups
-- Returns how many bundles were sealed, 1 if more groups are due.
-- include: clock
-- include: ledger
-- include: hint
-- include: group
local most = tonumber(ARGV[1])
local at = now()
local stamp = string.format("%d", at)
answered("digest")

local function take(group, limit)  -- ids of what is still to be told
  local ids = {}
  while #ids < limit do
    local id = redis.call("LPOP", K.buffer(group))
    if not id then break end
    local known = redis.call("HMGET", K.event(id), "state", "bundle")
    if known[1] == "queued" and not known[2] then ids[#ids + 1] = id end
  end
  return ids
end

local function settle(group, ids)  -- what each piece of news makes of its member; whether any is more than an acknowledge, and the worst severity
  local has_more, worst = false, 0
  for _, id in ipairs(ids) do
    local action, place, severity = unpack(redis.call("HMGET", K.event(id), "action", "uid", "severity"))
    local known = redis.call("HGET", K.members(group), place)
    if action == "resolve" then redis.call("HSET", K.alert(place), "ending:" .. group, 1) end
    if action == "trigger" then
      redis.call("HSET", K.alert(place), "heard:" .. group, 1)
      redis.call("HDEL", K.alert(place), "ending:" .. group)
    end
    if known and action == "acknowledge" then redis.call("HSET", K.members(group), place, "acknowledged") end
    if action == "trigger" then worst = math.max(worst, RANKS[severity] or 1) end
    has_more = has_more or action ~= "acknowledge"
    unsay(id, place, group)
  end
  return has_more, worst
end

local function all_acknowledged(group)
  for _, status in ipairs(redis.call("HVALS", K.members(group))) do
    if status ~= "acknowledged" then return false end
  end
  return true
end

local function severity_of(group, worst)  -- the worst since the group's episode began
  local known = RANKS[redis.call("HGET", K.alert(group), "severity") or ""] or 0
  for name, rank in pairs(RANKS) do
    if rank == math.max(worst, known, 1) then
      redis.call("HSET", K.alert(group), "severity", name)
      return name
    end
  end
end

local function action_of(group, ids, has_more, open, left)
  if open == 0 and left == 0 then return "resolve" end
  if #ids > 0 and not has_more and all_acknowledged(group) then return "acknowledge" end
  return "trigger"
end

local function seal(group, lane, ids, open, left, is_reminder)
  local has_more, worst = settle(group, ids)
  local action = action_of(group, ids, has_more, open, left)
  local id = "bundle-" .. string.gsub(redis.call("GET", K.epoch) or "0", "%D", "") .. "-" .. redis.call("INCR", K.bundle_number)
  redis.call("HSETNX", K.alert(group), "began", stamp)
  local known = redis.call("HMGET", K.alert(group), "came_and_went", "service", "began")
  redis.call("HSET", K.event(id), "state", "queued", "reason", "", "uid", group, "lane", lane, "service", known[2] or "", "action", action,
    "severity", severity_of(group, worst), "source", "bundle", "received", stamp, "accepted", stamp, "attempts", 0,
    "members", table.concat(ids, "\n"), "open", open, "came_and_went", known[1] or 0, "began", known[3], "is_reminder", is_reminder and 1 or 0)
  record(at, id, "sealed", tostring(#ids), lane)
  for _, member in ipairs(ids) do
    redis.call("HSET", K.event(member), "bundle", id)
    record(at, member, "bundled", id)
  end
  if action == "trigger" then redis.call("HSET", K.alert(group), "episode", 1) end
  if action == "resolve" then redis.call("HDEL", K.alert(group), "severity", "began") end
  redis.call("HDEL", K.alert(group), "came_and_went")
  redis.call("ZADD", K.alerts, stamp, group)
  redis.call("ZADD", K.queued, stamp, id)
  redis.call("RPUSH", K.lane(lane), id)
  redis.call("ZADD", K.outbox_due, stamp, lane)
  hint("delivery", at)
  return action
end

local function go_on(group, lane, action, wait, limit, again, left, open)  -- when the next bundle is due
  redis.call("HSET", K.alert(group), "told", stamp, "window", action == "resolve" and 0 or string.format("%d", at + wait))
  if left > 0 then
    redis.call("HSET", K.alert(group), "waits", left >= limit and stamp or string.format("%d", at + wait))
  elseif open > 0 and again > 0 then
    redis.call("ZADD", K.groups_due, string.format("%d", at + again), lane)
  end
end

local function remind_later(group, lane, again)  -- there is no news: nothing is due before the reminder
  local told = tonumber(redis.call("HGET", K.alert(group), "told") or 0)
  if again > 0 and told + again > at then redis.call("ZADD", K.groups_due, string.format("%d", told + again), lane) end
  return again > 0 and told > 0 and told + again <= at
end

local function look_after(lane)
  redis.call("ZREM", K.groups_due, lane)
  local group = string.match(lane, "^([^@]*)")
  if redis.call("EXISTS", K.lane(lane)) == 1 then
    redis.call("HSET", K.alert(group), "waits", stamp)
    return 0
  end
  local wait, limit, again = spec_of(group)
  local ids = take(group, limit)
  local open, left = redis.call("HLEN", K.members(group)), redis.call("LLEN", K.buffer(group))
  local is_reminder = #ids == 0 and open > 0 and remind_later(group, lane, again)
  if #ids == 0 and not is_reminder then return 0 end
  local action = seal(group, lane, ids, open, left, is_reminder)
  go_on(group, lane, action, wait, limit, again, left, open)
  return 1
end

local sealed = 0
local due = redis.call("ZRANGEBYSCORE", K.groups_due, "-inf", at, "LIMIT", 0, most + 1)
for i = 1, math.min(#due, most) do sealed = sealed + look_after(due[i]) end
return {sealed, #due > most and 1 or 0}
