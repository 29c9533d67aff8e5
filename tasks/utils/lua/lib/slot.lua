-- What is known of a scheduled task, K.schedule(entry). Times in ms. A slot is one due moment of it; one that is claimed, and every
-- earlier one, is never run again.
--   cron                                the expression it runs by, as far as watchers have seen
--   slot, message, by                   the slot claimed last, the message it was given to, who claimed it
--   began, late, ended, result, detail  its run: late by so much; result: ok | failed | skipped
--   asked, asked_at                     the slot somebody was called for because nobody had claimed it, and when
--   paused_at, paused_by, paused_why, paused_until (0 = until resumed) · resumed_at, resumed_by
--   missed_at, missed_since, missed_count, missed_caught_up
-- is_paused(entry, at): whether it is, and why.
-- is_settling(at): whether the data before this was lost a moment ago: those who remember claims outside must have time to say so.
-- pass_over(entry, slot, result, detail): let a slot count as claimed though nobody runs it.
-- note_run(entry, run): add a run, a table, to K.schedule_runs(entry).
local SETTLING = 20000  -- milliseconds
local RUNS = 50

local function is_paused(entry, at)
  local state = redis.call("HMGET", K.schedule(entry), "paused_at", "resumed_at", "paused_until", "paused_why")
  local paused, resumed, ends = tonumber(state[1] or 0), tonumber(state[2] or 0), tonumber(state[3] or 0)
  return paused > resumed and (ends == 0 or ends > at), state[4] or ""
end

local function is_settling(at)
  local epoch = redis.call("GET", K.epoch)
  if not epoch then return true end
  return redis.call("HGET", K.loss, "epoch") == epoch and at < tonumber(epoch) + SETTLING and at >= tonumber(epoch)
end

local function pass_over(entry, slot, result, detail)
  redis.call("HDEL", K.schedule(entry), "message", "began", "late", "by", "ended", "result", "detail", "progress", "asked", "asked_at")
  redis.call("HSET", K.schedule(entry), "slot", string.format("%d", slot))
  if result then redis.call("HSET", K.schedule(entry), "result", result, "detail", detail) end
end

local function note_run(entry, run)
  redis.call("LPUSH", K.schedule_runs(entry), cjson.encode(run))
  redis.call("LTRIM", K.schedule_runs(entry), 0, RUNS - 1)
end
