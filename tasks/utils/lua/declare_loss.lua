-- declare_loss: say that the data set before this one is lost. Whoever says so first says it for all.
--   K.loss      epoch (of the data set there is now), old (that of the lost one, "" = not known), noticed (ms), pending (events that had not ended when
--               they were last counted, "" = not known), synced (when PagerDuty's incidents had been compared since, ms)
--   K.epoch, K.ledger, K.hints, queue escalation
--   ARGV        epoch of the lost data set, pending
-- Starts incidents.sync. Returns 1 if nobody had said so before.
-- include: clock
-- include: ledger
-- include: hint
local at = now()
local epoch = redis.call("GET", K.epoch) or ""
if redis.call("HGET", K.loss, "epoch") == epoch then
  if ARGV[2] ~= "" and redis.call("HGET", K.loss, "pending") == "" then redis.call("HSET", K.loss, "pending", ARGV[2]) end
  return 0
end
redis.call("DEL", K.loss)
redis.call("HSET", K.loss, "epoch", epoch, "old", ARGV[1], "noticed", string.format("%d", at), "pending", ARGV[2])
record(at, "epoch-" .. epoch, "lost", ARGV[1], ARGV[2])
hint("sync", at)
return 1
