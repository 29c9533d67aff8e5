-- inbox_claim: hand the oldest received events to the one caller who may decide on them. One at a time, because events must be accepted in
-- the order they came; should a caller be slow and lose its turn, both go through the same rows in the same order, and accepting twice is harmless.
--   K.inbox_turn                          token of the caller whose turn it is, and until when
--   K.inbox_due, K.inbox, K.inbox_tries   rows, and how often each was handed out
--   K.hints, queue alert                  a claim answers the hint
--   ARGV                                  most rows, length of a turn (milliseconds), token
-- Returns id, envelope, tries; and again for each row. Nothing: there is nothing, or it is somebody else's turn.
-- include: clock
-- include: hint
local limit, turn, token = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local at = now()
answered("alert")
local held = redis.call("HMGET", K.inbox_turn, "token", "until")
if held[1] and held[1] ~= token and tonumber(held[2]) > at then return {} end
local first = redis.call("ZRANGEBYSCORE", K.inbox_due, "-inf", at, "LIMIT", 0, 1)[1]
if first and redis.call("HEXISTS", K.inbox_tries, first) == 1 then limit = 1 end  -- it may be poison: alone, it cannot take others along
local ids = redis.call("ZRANGEBYSCORE", K.inbox_due, "-inf", at, "LIMIT", 0, limit)
local rows = {}
for _, id in ipairs(ids) do
  local envelope = redis.call("HGET", K.inbox, id)
  if envelope then
    rows[#rows + 1] = id
    rows[#rows + 1] = envelope
    rows[#rows + 1] = redis.call("HINCRBY", K.inbox_tries, id, 1)
  else
    redis.call("ZREM", K.inbox_due, id)
  end
end
if #rows > 0 then
  redis.call("HSET", K.inbox_turn, "token", token, "until", string.format("%d", at + turn))
else
  redis.call("DEL", K.inbox_turn)
end
return rows
