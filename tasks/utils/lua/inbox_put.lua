-- inbox_put: write received events and call a worker of group `alert`.
--   K.inbox, K.inbox_due   the rows; due now, so that a lost hint costs a moment and no alert
--   K.ledger               one `received` entry each
--   K.hints, queue alert   one hint, shared with whoever else is writing
--   ARGV                   id, received (ms, "" = now), source, alert (JSON); and again for each event
-- include: clock
-- include: ledger
-- include: hint
local at = now()
for i = 1, #ARGV, 4 do
  local id = ARGV[i]
  local received = ARGV[i + 1] ~= "" and ARGV[i + 1] or string.format("%d", at)
  local envelope = received .. "\n" .. ARGV[i + 2] .. "\n" .. ARGV[i + 3]
  if redis.call("EXISTS", K.event(id)) == 0 and redis.call("HSETNX", K.inbox, id, envelope) == 1 then
    redis.call("ZADD", K.inbox_due, at, id)
    record(at, id, "received", ARGV[i + 2])
  end
end
hint("alert", at)
return at
