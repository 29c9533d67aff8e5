-- Inhibition: an open alert that matches a rule's source feeds the rule's hold for its labels; while somebody feeds it, targets are held.
--   K.alert(uid)       feeds: names of the holds this alert feeds, a line each
--   K.inhibitors(hold) uids that feed it; K.holds_due gets the hold once nobody does
-- feed(uid, holds, at): feed these holds and no others any more. `holds` is a JSON list of names, "" for none.
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
      if redis.call("SCARD", K.inhibitors(hold)) == 0 and redis.call("EXISTS", K.held(hold)) == 1 then
        redis.call("ZADD", K.holds_due, at, hold)
        starved = true
      end
    end
  end
  if lines == "" then redis.call("HDEL", K.alert(uid), "feeds") else redis.call("HSET", K.alert(uid), "feeds", lines) end
  return starved
end
