-- slot_pause: let a scheduled task rest, or run again.
--   K.schedule(entry)   see lib/slot.lua
--   ARGV   entry, who, then to pause: why, until when (ms; 0: until resumed)
-- Returns 1 if that changed anything, 0 if it was so already.
-- include: clock
-- include: slot
local entry, who, why, ends = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local at = now()
local was_paused = is_paused(entry, at)
if why then
  redis.call("HSET", K.schedule(entry), "paused_at", string.format("%d", at), "paused_by", who, "paused_why", why, "paused_until", ends)
else
  redis.call("HSET", K.schedule(entry), "resumed_at", string.format("%d", math.max(at,
    tonumber(redis.call("HGET", K.schedule(entry), "paused_at") or 0))), "resumed_by", who)
end
return was_paused ~= (why ~= nil) and 1 or 0
