-- hint(queue, at): put one ready-made Celery message on `queue`, unless one is on its way already (K.hints: queue -> when).
-- answered(queue): called by whoever claims rows: the next change may hint again.
-- more_hands(queue, at): called by a claimant that leaves rows behind: calls in one more drain, at most one per RAMP.
local LOST_AFTER = 1000  -- milliseconds; a hint nobody answered by then is taken for lost
local RAMP = 20          -- milliseconds
local ENOUGH = 50        -- messages: while nobody reads a queue, more hints would only pile up

local function hint(queue, at)
  local sent = tonumber(redis.call("HGET", K.hints, queue) or 0)
  if at >= sent and at - sent < LOST_AFTER then return end
  if sent > 0 and redis.call("LLEN", P .. queue) >= ENOUGH then return end
  local stamp = string.format("%d", at)
  redis.call("HSET", K.hints, queue, stamp, queue .. ":last", stamp)
  local id = string.format("hint-%s-%d", stamp, redis.call("INCR", K.hint_number))
  redis.call("LPUSH", P .. queue, (string.gsub(HINTS[queue], "@hint@", id)))
end

local function answered(queue)
  redis.call("HDEL", K.hints, queue)
end

local function more_hands(queue, at)
  local last = tonumber(redis.call("HGET", K.hints, queue .. ":last") or 0)
  if at < last or at - last >= RAMP then hint(queue, at) end
end
