-- note_try(place, outcome, reason, delay, at): remember since when every attempt with this key fails, and when that was over.
--   K.failing   <channel>|<key id> -> first failure (ms), last one (ms), how many, outcome and reason of the last; `sent` once it was over
-- A rest that a 429 asks for says nothing of the channel, nor does one message that is refused for what it is.
local FORGOTTEN_AFTER = 86400000  -- milliseconds; by then the key has left the configuration, or nobody uses it

local function forget_old_failures(at)
  local all = redis.call("HGETALL", K.failing)
  for i = 1, #all, 2 do
    local last = string.match(all[i + 1], "^%d+ (%d+)")
    if at - tonumber(last) > FORGOTTEN_AFTER then redis.call("HDEL", K.failing, all[i]) end
  end
end

local function note_try(place, outcome, reason, delay, at)
  local is_failure = (outcome == "retry" or outcome == "refused" and delay > 0) and reason ~= "lease_too_short"
  if outcome ~= "sent" and not is_failure then return end
  local known = redis.call("HGET", K.failing, place)
  local since, count = string.match(known or "", "^(%d+) %d+ ([1-9]%d*)")
  local stamp = string.format("%d", at)
  if is_failure then
    if not known then forget_old_failures(at) end
    redis.call("HSET", K.failing, place, string.format("%s %s %d %s %s", since or stamp, stamp, (count or 0) + 1, outcome, reason))
  elseif count then
    redis.call("HSET", K.failing, place, stamp .. " " .. stamp .. " 0 sent -")
  end
end
