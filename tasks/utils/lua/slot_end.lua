-- slot_end: note what came of a run.
--   K.schedule(entry), K.schedule_runs(entry)   see lib/slot.lua
--   ARGV   entry, slot (ms; 0: somebody asked for this run, which stands for no slot), message id, result, detail, began (ms), who
-- Returns when it ended (ms).
-- include: clock
-- include: slot
local entry, slot, message, result, detail, began, by = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6]), ARGV[7]
local at = now()
if redis.call("HGET", K.schedule(entry), "message") == message then
  redis.call("HSET", K.schedule(entry), "ended", string.format("%d", at), "result", result, "detail", detail)
end
redis.call("HDEL", K.schedule(entry), "progress")
note_run(entry, {slot = slot, began = began, ended = at, late = slot > 0 and began - slot or 0, by = by, result = result, detail = detail})
return at
