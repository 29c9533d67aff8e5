-- task_admit: may a signed task message run?
--   K.signed_begun    nonce of a message that was begun, and nonce|asked by whom -> when it was signed, ms
--   K.signed_finished nonce of one that was finished -> the same
--   ARGV   nonce, when it was signed (ms), how long messages are remembered (ms), how far ahead a signer's clock may be (ms),
--          1 = it came back from a worker's hands, who asks: one token for each time a message is in somebody's hands
-- A caller that lost the answer asks again, by the same token: it is told the same, and not that its message is a copy.
-- Returns run · done · replayed · old · early. What is older than is remembered is forgotten here: it would be `old`.
-- include: clock
local nonce, signed_at, window, ahead = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local came_back, asked, at = ARGV[5] == "1", nonce .. "|" .. ARGV[6], now()
for _, known in ipairs({K.signed_begun, K.signed_finished}) do
  redis.call("ZREMRANGEBYSCORE", known, "-inf", "(" .. string.format("%d", at - window))
end
if redis.call("ZSCORE", K.signed_finished, nonce) then return came_back and "done" or "replayed" end
if redis.call("ZSCORE", K.signed_begun, nonce) then
  return (came_back or redis.call("ZSCORE", K.signed_begun, asked)) and "run" or "replayed"
end
if signed_at < at - window then return "old" end
if signed_at > at + ahead then return "early" end
redis.call("ZADD", K.signed_begun, ARGV[2], nonce, ARGV[2], asked)
return "run"
