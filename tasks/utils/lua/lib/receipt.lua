-- Receipts: PagerDuty took a trigger (202). Does it show an incident of it? See docs/receipts.md.
--   K.receipts       `<key id> <own>` -> JSON: sent (when the first trigger was taken, ms), last (when the newest was), till (when an incident should be
--                    there), looks (how many there were), lanes: lane -> ids (of the events that wait), channel, next (channel or ""), endpoint
--   K.receipts_due   the same -> when PagerDuty is looked at for it next, or the end of a lease, ms
--   K.receipt_hours(hours since the epoch)   seen, unverified, missed, ended, within:<seconds> -> how many; gone after eight days
-- The events that wait are kept whole (see lib/shrink.lua): they may have to be said elsewhere. Of a group all that was told, else the newest only.
-- await_receipt(own, key_id, told, rule, at): wait for a sign of it; true if there was none yet. `told`: lane, id, is_bundle, channel, next, endpoint,
--   severity. `rule` is `<ms until the first look> <deadlines by severity, JSON>`.
-- end_receipt(own, key_id, at): nobody waits for it any more; true if somebody did.
-- count_receipt(what, at). first_sign(own, key_id, after, at): its incident was seen, so long (ms) after it was sent.
-- include: records
-- include: shrink
local GRID = 5000            -- milliseconds: looks fall due together, so that one serves many
local LEAST_PATIENCE = 30000 -- milliseconds: PagerDuty's lists lag behind
local MOST_KEPT = 50         -- bundles of one group
local COUNTS_KEPT = 691200   -- seconds
local WITHIN = {1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600}

local function count_receipt(what, at)
  local hour = K.receipt_hours(string.format("%d", math.floor(at / 3600000)))
  if redis.call("HINCRBY", hour, what, 1) == 1 then redis.call("EXPIRE", hour, COUNTS_KEPT) end
end

local function keep_less(id, at)  -- keep of a sent event what is still asked for
  if redis.call("HGET", K.event(id), "state") ~= "sent" then return end
  local members = redis.call("HGET", K.event(id), "members")
  redis.call("HDEL", K.event(id), "members")
  shrink(id, at)
  for member in string.gmatch(members or "", "[^\n]+") do
    local state = redis.call("HGET", K.event(member), "state")
    if state == "sent" or state == "merged" then shrink(member, at) end
  end
end

local function end_receipt(own, key_id, at)
  local field = key_id .. " " .. own
  local text = redis.call("HGET", K.receipts, field)
  if not text then return false end
  redis.call("HDEL", K.receipts, field)
  redis.call("ZREM", K.receipts_due, field)
  for _, of in pairs(cjson.decode(text).lanes) do
    for _, id in ipairs(of.ids) do keep_less(id, at) end
  end
  return true
end

local function first_sign(own, key_id, after, at)
  end_receipt(own, key_id, at)
  count_receipt("seen", at)
  for _, seconds in ipairs(WITHIN) do
    if after <= seconds * 1000 then return count_receipt("within:" .. seconds, at) end
  end
  count_receipt("within:more", at)
end

local function on_grid(at) return math.ceil(at / GRID) * GRID end

local function waiting_with(of, told, at)  -- the ids that wait on a lane, this one added
  local ids = of and of.ids or {}
  while #ids > 0 and (not told.is_bundle or #ids >= MOST_KEPT) do keep_less(table.remove(ids, 1), at) end
  ids[#ids + 1] = told.id
  return ids
end

local function await_receipt(own, key_id, told, rule, at)
  local known = records_of(own)[key_id]
  if not known or known.id then return false end
  local look_after, deadlines = string.match(rule, "^(%d+) (.*)$")
  local field = key_id .. " " .. own
  local text = redis.call("HGET", K.receipts, field)
  local till = at + math.max(LEAST_PATIENCE, cjson.decode(deadlines)[told.severity] or 0)
  local row = text and cjson.decode(text) or {sent = at, till = till, looks = 0, lanes = {}}
  row.last, row.till = at, math.min(row.till, till)
  row.lanes[told.lane] = {ids = waiting_with(row.lanes[told.lane], told, at), channel = told.channel, next = told.next, endpoint = told.endpoint}
  redis.call("HSET", K.receipts, field, cjson.encode(row))
  redis.call("ZADD", K.receipts_due, "NX", string.format("%d", on_grid(at + look_after)), field)
  return true
end
