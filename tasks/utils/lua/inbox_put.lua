-- inbox_put: write received events and call a worker of group `alert`. They are decided on in the order they are written here, whatever the
-- clock does meanwhile: each due time is later than the one before.
--   K.inbox, K.inbox_due   the rows; due now, so that a lost hint costs a moment and no alert
--   K.ledger               one `received` entry each; with the time it was received where it has waited somewhere else
--   K.hints, queue alert   one hint, shared with whoever else is writing
--   K.webhooks, …          webhooks of PagerDuty (source `pagerduty:webhook`) are no alerts, and get rows of their own; see lib/webhooks.lua
--   ARGV                   id, received (ms, "" = now), source, alert (JSON); and again for each event
-- include: clock
-- include: ledger
-- include: hint
-- include: webhooks
local WAITED = 1000   -- milliseconds between a sender and here
local STEP = 1 / 1024 -- of a millisecond; a number of this size holds it exactly
local at = now()
local newest = redis.call("ZRANGE", K.inbox_due, -1, -1, "WITHSCORES")[2]
local due = newest and tonumber(newest) or 0
local has_alerts = false
for i = 1, #ARGV, 4 do
  local id, received, source = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  if received == "" then received = string.format("%d", at) end
  local envelope = received .. "\n" .. source .. "\n" .. ARGV[i + 3]
  if source == WEBHOOK then
    put_webhook(id, received, ARGV[i + 3], at)
  elseif redis.call("EXISTS", K.event(id)) == 0 and redis.call("HSETNX", K.inbox, id, envelope) == 1 then
    has_alerts = true
    due = math.max(at, due + STEP)
    redis.call("ZADD", K.inbox_due, string.format("%.17g", due), id)
    record(at, id, "received", source, at - tonumber(received) > WAITED and received or "")
  end
end
if has_alerts then hint("alert", at) end
return at
