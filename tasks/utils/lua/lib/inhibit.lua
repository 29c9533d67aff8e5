-- Inhibition: an open alert that matches a rule's source feeds the rule's hold for its labels; while somebody feeds it, targets are held.
--   K.alert(uid)       feeds: names of the holds this alert feeds, a line each
--   K.inhibitors(hold) uids that feed it; K.holds_due gets the hold once nobody does that counts
-- stands(hold, seen): whether an alert feeds it that is not, in the end, held back by itself or by those `seen` (uid -> true): of alerts
--   that inhibit each other, one must call.
-- feed(uid, holds, at): feed these holds and no others any more. `holds` is a JSON list of names, "" for none.
local function stands(hold, seen)
  for _, uid in ipairs(redis.call("SMEMBERS", K.inhibitors(hold))) do
    if not seen[uid] then
      seen[uid] = true
      local by = redis.call("HGET", K.alert(uid), "held_by")
      if not by or string.sub(by, 1, 11) ~= "inhibition:" or stands(by, seen) then return true end
    end
  end
  return false
end

local function feed(uid, holds, at)
  local before = redis.call("HGET", K.alert(uid), "feeds")
  if holds == "" and not before then return false end
  local now_fed, lines = {}, ""
  for _, hold in ipairs(holds ~= "" and cjson.decode(holds) or {}) do
    now_fed[hold] = true
    lines = lines .. hold .. "\n"
    redis.call("SADD", K.inhibitors(hold), uid)
  end
  local starved = false
  for hold in string.gmatch(before or "", "[^\n]+") do
    if not now_fed[hold] then
      redis.call("SREM", K.inhibitors(hold), uid)
      if redis.call("EXISTS", K.held(hold)) == 1 and not stands(hold, {}) then
        redis.call("ZADD", K.holds_due, at, hold)
        starved = true
      end
    end
  end
  if lines == "" then redis.call("HDEL", K.alert(uid), "feeds") else redis.call("HSET", K.alert(uid), "feeds", lines) end
  return starved
end
