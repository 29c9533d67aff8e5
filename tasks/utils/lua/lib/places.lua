-- Places: where an alert may be open, `<channel>|<key id>`.
--   K.alert(uid)   on:<place> = try | unclear | sent
--   K.resting      pause:<key id>, stop:<key id> -> until when (ms)
-- places(alert): those of an alert's hash, in order. parts(place): its channel and its key id.
-- book_try(alert, place): a trigger is about to be tried there; whether it is the first to open the alert there.
-- rest_of(key_id): until when a key pauses, and until when it counts as refused.
local function places(alert)
  local found = {}
  for _, field in ipairs(redis.call("HKEYS", alert)) do
    if string.sub(field, 1, 3) == "on:" then found[#found + 1] = string.sub(field, 4) end
  end
  table.sort(found)
  return found
end

local function rest_of(key_id)
  local rest = redis.call("HMGET", K.resting, "pause:" .. key_id, "stop:" .. key_id)
  return tonumber(rest[1] or 0), tonumber(rest[2] or 0)
end

local function parts(place)
  local bar = string.find(place, "|", 1, true)
  return string.sub(place, 1, bar - 1), string.sub(place, bar + 1)
end

local function book_try(alert, place)
  local is_fresh = redis.call("HSETNX", alert, "on:" .. place, "try") == 1
  if not is_fresh and redis.call("HGET", alert, "on:" .. place) == "try" then
    redis.call("HSET", alert, "on:" .. place, "unclear", "unclear", "1")  -- the worker that tried died before it knew
  end
  return is_fresh
end
