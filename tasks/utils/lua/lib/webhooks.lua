-- Webhooks of PagerDuty that came and are not worked off yet; see keys.py.
-- put_webhook(id, received, document, at): keep one and call a worker of group `webhook`; nothing if it has come before.
-- include: hint
local WEBHOOK = "pagerduty:webhook"
local MOST_KNOWN = 100000  -- ids kept, so that what PagerDuty delivers twice is worked off once

local function put_webhook(id, received, document, at)
  if redis.call("ZADD", K.webhooks_known, "NX", string.format("%d", at), id) == 0 then return false end
  if redis.call("ZCARD", K.webhooks_known) > MOST_KNOWN then redis.call("ZREMRANGEBYRANK", K.webhooks_known, 0, 99) end
  redis.call("HSET", K.webhooks, id, received .. "\n" .. document)
  redis.call("ZADD", K.webhooks_due, string.format("%d", at), id)
  hint("webhook", at)
  return true
end
