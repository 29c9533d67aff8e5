-- webhooks_claim: hand due webhooks to exactly one caller. A claimed one falls due again at its lease's end, should its worker die.
--   K.webhooks, K.webhooks_due, K.webhooks_tries   see keys.py
--   K.hints, queue webhook                         the first claim of a run answers the hint, and one that finds nothing; if rows remain, one more worker
--                                                  is called in
--   ARGV                                           most rows, lease (ms), "1" if this claim answers the hint
-- One that was handed out before may be poison: it is handed out alone, so that it takes no others along.
-- Returns id, when it came (ms), document, tries; and again for each.
-- include: clock
-- include: hint
local most, lease = tonumber(ARGV[1]), tonumber(ARGV[2])
local at = now()
local ids = redis.call("ZRANGEBYSCORE", K.webhooks_due, "-inf", at, "LIMIT", 0, most + 1)
if ARGV[3] == "1" or #ids == 0 then answered("webhook") end
local rows, count = {}, 0
for _, id in ipairs(ids) do
  local is_suspect = redis.call("HEXISTS", K.webhooks_tries, id) == 1
  if count == most or is_suspect and count > 0 then break end
  local came, document = string.match(redis.call("HGET", K.webhooks, id) or "", "^(%d*)\n(.*)$")
  if document then
    redis.call("ZADD", K.webhooks_due, string.format("%d", at + lease), id)
    local tries = redis.call("HINCRBY", K.webhooks_tries, id, 1)
    for _, part in ipairs({id, came, document, tostring(tries)}) do rows[#rows + 1] = part end
    count = count + 1
    if is_suspect then break end
  else
    redis.call("ZREM", K.webhooks_due, id)
  end
end
if #ids > count then more_hands("webhook", at) end
return rows
