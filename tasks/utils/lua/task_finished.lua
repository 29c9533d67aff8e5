-- task_finished: a signed task message has run to its end.
--   K.signed_begun    nonce of a message that was begun -> when it was signed, ms
--   K.signed_finished the same of one that was finished
--   ARGV   nonce
local signed_at = redis.call("ZSCORE", K.signed_begun, ARGV[1])
if not signed_at then return end
redis.call("ZADD", K.signed_finished, signed_at, ARGV[1])
redis.call("ZREM", K.signed_begun, ARGV[1])
