-- What newer news makes of a trigger that was a dead letter: asked when it is replayed, and again when it is decided on.
--   K.alert(place)   newest: the last trigger that went to this place
--   K.event(id)      replayed: when it was accepted at first (ms); accepted: when it was last; undecided: see refuse.lua
-- overtaken(id, uid, places, first, last): how its story ends and the newer trigger, for one of alert `uid` that goes to these places and was
--   accepted first and last then: "resolved_before_send", or "superseded" by what is held back, has been let go, or went the same way; nil if it
--   still is news.
local function is_newer(other, id, first)
  if not other or other == id then return false end
  local known = redis.call("HMGET", K.event(other), "state", "replayed", "accepted")
  return known[1] ~= "dead" and tonumber(known[2] or known[3] or first) >= first
end

local function overtaken(id, uid, places, first, last)
  local status, since, held, released = unpack(redis.call("HMGET", K.alert(uid), "status", "since", "held", "released"))
  since = tonumber(since or 0)
  local fires_by_others = status ~= "resolved" and redis.call("HEXISTS", K.event(id), "undecided") == 1  -- it never fired by this one: no resolve need have come
  if not fires_by_others and (since > last or since == last and status == "resolved") then return "resolved_before_send" end
  if is_newer(held, id, first) then return "superseded", held end
  if is_newer(released, id, first) then return "superseded", released end
  for _, place in ipairs(places) do
    local newest = redis.call("HGET", K.alert(place), "newest")
    if is_newer(newest, id, first) then return "superseded", newest end
  end
end
