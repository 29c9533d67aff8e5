-- task_finished: a signed task message has run to its end.
--   K.signed_begun    nonce of a message that was begun -> when it was signed, ms
--   K.signed_finished the same of one that was finished
--   ARGV   nonce, or nonce|who asked whether it may run
local nonce = string.match(ARGV[1], "^[^|]*")
local signed_at = redis.call("ZSCORE", K.signed_begun, nonce)
if not signed_at then return end
redis.call("ZADD", K.signed_finished, signed_at, nonce)
redis.call("ZREM", K.signed_begun, nonce, ARGV[1])
