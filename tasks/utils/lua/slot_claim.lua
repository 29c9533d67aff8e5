-- slot_claim: give one scheduled run to exactly one message, or say why not.
--   K.schedule(entry), K.schedule_runs(entry)   see lib/slot.lua
--   ARGV   entry, slot (ms): the newest one that is due, message id, who asks, 1 if it is too late to make up for it
-- Returns a verdict, the slot given, and the slot claimed before it (0 if none):
--   run · again (this very message was given it before, and did not finish) · taken (it, or a later one, was given to another, or is
--   done) · late · paused · settling (see lib/slot.lua: somebody may know that it was run; whoever watches calls for it again)
-- include: clock
-- include: slot
local entry, slot, message, by = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local at = now()
local known = redis.call("HMGET", K.schedule(entry), "slot", "message", "ended")
local before = tonumber(known[1] or 0)
if known[2] == message and not known[3] then return {"again", before, before} end
if slot <= before then return {"taken", slot, before} end
if ARGV[5] == "1" then return {"late", slot, before} end
if is_settling(at) and slot <= tonumber(redis.call("GET", K.epoch) or at) then return {"settling", slot, before} end
local paused, why = is_paused(entry, at)
local stamp = string.format("%d", at)
redis.call("HDEL", K.schedule(entry), "ended", "result", "detail", "progress", "asked", "asked_at")
redis.call("HSET", K.schedule(entry), "slot", string.format("%d", slot), "message", message, "by", by,
  "began", stamp, "late", string.format("%d", at - slot))
if paused then
  redis.call("HSET", K.schedule(entry), "ended", stamp, "result", "skipped", "detail", "paused: " .. why)
  note_run(entry, {slot = slot, began = at, ended = at, late = at - slot, by = by, result = "skipped", detail = "paused: " .. why})
  return {"paused", slot, before}
end
return {"run", slot, before}
