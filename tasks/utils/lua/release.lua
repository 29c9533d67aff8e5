-- release: let go what holds that are over have kept back: it goes through the inbox again, to be decided on by the rules of now.
--   K.holds_due        name of a hold -> when it is over; taken out once it holds nothing any more
--   K.held(hold), K.alert(uid), K.event(id), K.inbox, K.inbox_due, K.closed, K.ledger
--   ARGV   most alerts
-- Marks both event and alert (`released`): should newer news be decided on first, the event is outdated and goes nowhere.
-- An inhibition that is fed again stays. Returns how many alerts were let go, 1 if more are due.
-- include: clock
-- include: ledger
-- include: hold
-- include: inbox
local most = tonumber(ARGV[1])
local at = now()
local count = 0

local function release(uid, hold)
  local id, name = unpack(redis.call("HMGET", K.alert(uid), "held", "held_for"))
  redis.call("HDEL", K.alert(uid), "held", "held_by", "held_for")
  redis.call("ZREM", K.held(hold), uid)
  local event = id and redis.call("HMGET", K.event(id), "received", "source", "body") or {}
  if not event[3] then return end
  record(at, id, "released", name, hold)
  redis.call("HSET", K.alert(uid), "released", id)
  back_to_inbox(id, at, event[1] .. "\n" .. event[2] .. "\n" .. event[3])
  redis.call("HSET", K.event(id), "released", 1)
  count = count + 1
end

for _, hold in ipairs(redis.call("ZRANGEBYSCORE", K.holds_due, "-inf", at, "LIMIT", 0, most)) do
  local uid = string.match(hold, "^flap:(.*)$")
  if uid then redis.call("HDEL", K.alert(uid), "flapping", "turns") end
  local goes_on = stands(hold, {})
  if not goes_on then
    for _, held in ipairs(redis.call("ZRANGE", K.held(hold), 0, most - count - 1)) do release(held, hold) end
  end
  if redis.call("EXISTS", K.held(hold)) == 0 or goes_on then redis.call("ZREM", K.holds_due, hold) end
  if count >= most then break end
end
return {count, redis.call("ZCOUNT", K.holds_due, "-inf", at) > 0 and 1 or 0}
