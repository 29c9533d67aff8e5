-- receipts_claim: hand what PagerDuty is to be looked at for to one caller.
--   K.receipts_due, K.receipts, K.alert(own), K.receipt_hours(hour)   see lib/receipt.lua
--   K.event(id), K.closed        what nobody waits for any more is kept whole no longer
--   ARGV                         most rows, lease (ms)
-- A claimed row moves to the end of the lease: if its claimant dies, it falls due again. Of an alert that is resolved nothing is left to say.
-- Returns this moment (ms); then for each row its field, dedup key as PagerDuty has it, when its first trigger and its newest began to be sent
-- (ms), id of the incident of the episode before, and the row (JSON).
-- include: clock
-- include: receipt
local at = now()
local found = {string.format("%d", at)}

local function add(...)
  for _, part in ipairs({...}) do found[#found + 1] = part end
end

local function look_at(field)
  local key_id, own = string.match(field, "^(%S+) (%S+)$")
  local status, wire, dedup_key = unpack(redis.call("HMGET", K.alert(own), "status", "wire", "dedup_key"))
  local text, known = redis.call("HGET", K.receipts, field), records_of(own)[key_id]
  if not text then return redis.call("ZREM", K.receipts_due, field) end
  if known and not known.id and status ~= "resolved" then
    redis.call("ZADD", K.receipts_due, string.format("%d", at + ARGV[2]), field)
    return add(field, wire or dedup_key or "", string.format("%d", known.begun), string.format("%d", known.last), text)
  end
  end_receipt(own, key_id, at)
  count_receipt("ended", at)
end

for _, field in ipairs(redis.call("ZRANGEBYSCORE", K.receipts_due, "-inf", at, "LIMIT", 0, ARGV[1])) do look_at(field) end
return found
