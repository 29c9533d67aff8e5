-- pulse: send a beat through the queues as an alert's hints go, group `alert` first, then `delivery`; or say that it has come by.
--   K.pulse          hash: asked (when the beat on its way began, or the last one that came through), alert, delivery (when one came by there)
--   K.hints, queues  one message at a time; one that nobody took within a second is sent again when somebody asks
--   ARGV             "ask", or who has it now: alert, delivery; and for "ask" the least time between two beats (ms)
-- include: clock
-- include: hint
local stage, every = ARGV[1], tonumber(ARGV[2] or 0)
local at = now()
local stamp = string.format("%d", at)
local pulse = redis.call("HMGET", K.pulse, "asked", "alert", "delivery")
local asked, by_alert, through = tonumber(pulse[1] or 0), tonumber(pulse[2] or 0), tonumber(pulse[3] or 0)

if stage == "ask" then
  local is_through = through >= asked
  if is_through and at >= asked and at - asked < every then return end
  if is_through then redis.call("HSET", K.pulse, "asked", stamp) end
  hint((is_through or by_alert < asked) and "pulse_alert" or "pulse_delivery", at)
else
  answered("pulse_" .. stage)
  redis.call("HSET", K.pulse, stage, stamp)
  if stage == "alert" then hint("pulse_delivery", at) end
end
