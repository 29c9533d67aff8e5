-- Flapping: an alert that fires and resolves too often is announced once and then held back until it is calm.
--   K.alert(uid)   turns: times of its last changes (ms, a space after each); flapping: 1 while it is held back
--   K.holds_due    flap:<uid> -> when it will have been calm for long enough
-- flaps(uid, turned, config, at): "" | "begins" (this trigger is to be announced) | "goes_on" (hold it back). `turned`: the event changes the
--   alert from firing to resolved or back. `config` is `<changes> <window, ms> <calm, ms>`.
local MOST_TURNS = 100

local function turns_of(uid, turned, window, at)  -- the times within the window, this one included, and how many
  local kept, count = "", 0
  for time in string.gmatch(redis.call("HGET", K.alert(uid), "turns") or "", "%d+") do
    if at - tonumber(time) < window and count < MOST_TURNS then
      kept = kept .. time .. " "
      count = count + 1
    end
  end
  if not turned then return kept, count end
  return kept .. string.format("%d ", at), count + 1
end

local function flaps(uid, turned, config, at, can_begin)
  if config == "" then return "" end
  local changes, window, calm = string.match(config, "(%d+) (%d+) (%d+)")
  local turns, count = turns_of(uid, turned, tonumber(window), at)
  redis.call("HSET", K.alert(uid), "turns", turns)
  local goes_on = redis.call("HGET", K.alert(uid), "flapping") == "1"
  if goes_on and turned then redis.call("ZADD", K.holds_due, at + calm, "flap:" .. uid) end
  if goes_on then return "goes_on" end
  if not can_begin or count < tonumber(changes) then return "" end
  redis.call("HSET", K.alert(uid), "flapping", 1)
  redis.call("ZADD", K.holds_due, at + calm, "flap:" .. uid)
  return "begins"
end
