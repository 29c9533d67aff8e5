-- pump: call a worker for every kind of row that is due now.
--   K.inbox_due, K.outbox_due, K.holds_due, K.groups_due, K.keys_due, K.webhooks_due, K.lookups, K.actions_due, K.receipts_due,
--   K.escalations_due           due times
--   K.hints, queues             at most one hint a kind; one that nobody answered within a second is sent again
--   K.epoch                     see lib/epoch.lua
-- Returns milliseconds until something falls due (at most ARGV[1]), which data set this is, 1 if that had to be declared.
-- include: clock
-- include: epoch
-- include: hint
local at = now()
local wait = tonumber(ARGV[1])
local epoch, fresh = epoch_at(at)
for set, kind in pairs({[K.inbox_due] = "alert", [K.holds_due] = "alert", [K.outbox_due] = "delivery", [K.keys_due] = "delivery", [K.groups_due] = "digest",
  [K.webhooks_due] = "webhook", [K.lookups] = "webhook", [K.actions_due] = "action",
  [K.receipts_due] = "receipt", [K.escalations_due] = "escalation"}) do
  local first = redis.call("ZRANGE", set, 0, 0, "WITHSCORES")
  if first[2] then
    local left = set == K.inbox_due and 0 or tonumber(first[2]) - at  -- in the inbox the time is a place, no more
    if left <= 0 then
      hint(kind, at)
      left = LOST_AFTER
    end
    wait = math.min(wait, left)
  end
end
return {wait, epoch, fresh}
