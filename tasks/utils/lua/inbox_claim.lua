-- inbox_claim: hand received events to exactly one caller. A claimed row falls due again at its lease's end.
--   K.inbox_due, K.inbox, K.inbox_tries   rows, and how often each was handed out
--   K.hints, queue alert                  this claim answers the hint; if rows remain, one more drain is called in
--   ARGV                                  most rows, lease (milliseconds)
-- Returns id, envelope, tries; and again for each row.
-- include: clock
-- include: hint
local at = now()
answered("alert")
local ids = redis.call("ZRANGEBYSCORE", K.inbox_due, "-inf", at, "LIMIT", 0, ARGV[1])
local rows = {}
for _, id in ipairs(ids) do
  local envelope = redis.call("HGET", K.inbox, id)
  if envelope then
    redis.call("ZADD", K.inbox_due, at + ARGV[2], id)
    rows[#rows + 1] = id
    rows[#rows + 1] = envelope
    rows[#rows + 1] = redis.call("HINCRBY", K.inbox_tries, id, 1)
  else
    redis.call("ZREM", K.inbox_due, id)
  end
end
if #ids > 0 and redis.call("ZCOUNT", K.inbox_due, "-inf", at) > 0 then more_hands("alert", at) end
return rows
