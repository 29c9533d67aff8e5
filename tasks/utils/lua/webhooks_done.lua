-- webhooks_done: these are worked off.
--   K.webhooks, K.webhooks_due, K.webhooks_tries   see keys.py
--   ARGV                                           ids
for _, id in ipairs(ARGV) do
  redis.call("HDEL", K.webhooks, id)
  redis.call("ZREM", K.webhooks_due, id)
  redis.call("HDEL", K.webhooks_tries, id)
end
return #ARGV
