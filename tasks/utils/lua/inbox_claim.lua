-- inbox_claim: hand the oldest received events to the one caller who may decide on them. One at a time, because events must be accepted in
-- the order they came; should a caller be slow and lose its turn, both go through the same rows in the same order, and accepting twice is harmless.
--   K.inbox_turn                          token of the caller whose turn it is, and until when
-- A row's due time is its place in the queue, no more: none waits because a clock was set back.
--   K.inbox_due, K.inbox, K.inbox_tries   rows, and how often each was handed out
--   K.hints, queue alert                  the first claim of a drain answers the hint, and one that finds nothing; see claim.lua
--   ARGV                                  most rows, length of a turn (milliseconds), token, "1" if this claim answers the hint
-- Returns id, envelope, tries; and again for each row. Nothing: there is nothing, or it is somebody else's turn.
-- include: clock
-- include: hint
local limit, turn, token = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local at = now()
if ARGV[4] == "1" then answered("alert") end
local held = redis.call("HMGET", K.inbox_turn, "token", "until")
local left = held[1] and held[1] ~= token and tonumber(held[2]) - at or 0
if left > 0 and left <= turn then return {} end  -- a turn with more left than there can be is one from before the clock was set back
local first = redis.call("ZRANGE", K.inbox_due, 0, 0)[1]
if first and redis.call("HEXISTS", K.inbox_tries, first) == 1 then limit = 1 end  -- it may be poison: alone, it cannot take others along
local ids = redis.call("ZRANGE", K.inbox_due, 0, limit - 1)
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
  answered("alert")
end
return rows
