-- hint(kind, at): put one ready-made Celery message on the queue of these rows, unless one is on its way already (K.hints: kind -> when).
-- answered(kind): called by whoever claims rows: the next change may hint again.
-- more_hands(kind, at): called by a claimant that leaves rows behind: calls in one more drain, at most one per RAMP.
local LOST_AFTER = 1000  -- milliseconds; a hint nobody answered by then is taken for lost
local RAMP = 20          -- milliseconds
local ENOUGH = 50        -- messages: while nobody reads a queue, more hints would only pile up

local function hint(kind, at)
  local sent = tonumber(redis.call("HGET", K.hints, kind) or 0)
  if at >= sent and at - sent < LOST_AFTER then return end
  if sent > 0 and redis.call("LLEN", P .. QUEUES[kind]) >= ENOUGH then return end
  local stamp = string.format("%d", at)
  redis.call("HSET", K.hints, kind, stamp, kind .. ":last", stamp)
  local id = string.format("hint-%s-%d", stamp, redis.call("INCR", K.hint_number))
  redis.call("LPUSH", P .. QUEUES[kind], (string.gsub(HINTS[kind], "@hint@", id)))
end

local function answered(kind)
  redis.call("HDEL", K.hints, kind)
end

local function more_hands(kind, at)
  local last = tonumber(redis.call("HGET", K.hints, kind .. ":last") or 0)
  if at < last or at - last >= RAMP then hint(kind, at) end
end
