-- slot_watch: look whether a scheduled task misses its run, and let one caller at a time call for it.
--   K.schedule(entry)   see lib/slot.lua
--   ARGV   entry, crontab expression, its newest slot that is due (ms), how long a run may be awaited (ms),
--          how long after its time a run is made up for (ms), how long a call, and a run that is not made up for, is given (ms)
-- Returns a verdict and the slot claimed before (0 if none):
--   well · paused · new (first seen, or runs by another expression now: what was due before is not expected) · awaited · settling
--   · called (it was called for a moment ago) · call (call for it now: you are the one) · given_up (it was missed for too long)
-- include: clock
-- include: slot
local entry, cron, slot = ARGV[1], ARGV[2], tonumber(ARGV[3])
local patience, window, given = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local at = now()
if is_settling(at) then return {"settling", 0} end
local state = redis.call("HMGET", K.schedule(entry), "slot", "cron", "asked", "asked_at")
local before = tonumber(state[1] or 0)
local late = at - slot
local is_changed = state[2] ~= cron
if slot > before and late < patience then return {"awaited", before} end
if is_changed then redis.call("HSET", K.schedule(entry), "cron", cron) end
if slot <= before then return {"well", before} end
if is_changed and (before == 0 or state[2]) then  -- without an expression, but with a slot: claimed before anybody watched
  pass_over(entry, slot)
  return {"new", before}
end
if is_paused(entry, at) then
  pass_over(entry, slot, "skipped", "paused")
  return {"paused", before}
end
if late > window then
  if late <= given then return {"awaited", before} end
  local detail = "nobody ran it, and it was too late to make up for it"
  pass_over(entry, slot, "missed", detail)
  note_run(entry, {slot = slot, late = late, result = "missed", detail = detail})
  return {"given_up", before}
end
if tonumber(state[3] or 0) == slot and at - tonumber(state[4]) < given and at >= tonumber(state[4]) then return {"called", before} end
redis.call("HSET", K.schedule(entry), "asked", string.format("%d", slot), "asked_at", string.format("%d", at))
return {"call", before}
