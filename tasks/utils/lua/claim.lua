-- claim: lease due lanes to exactly one caller. A claimed lane falls due again at its lease's end.
--   K.outbox_due, K.leases    lanes and who holds them
--   K.hints, queue delivery   if lanes remain, one more drain is called in
--   ARGV                      most lanes, lease (milliseconds), token of the caller, "1" if this claim answers the hint
-- The first and the last claim of a drain answer it, and one that finds nothing: else each of a busy drain's many claims would have new alerts
-- send one more message, for a drain that finds no work.
-- Returns the lanes.
-- include: clock
-- include: hint
-- include: budget
local limit = tonumber(ARGV[1])
local at = now()
let_go(at)
local lanes = redis.call("ZRANGEBYSCORE", K.outbox_due, "-inf", at, "LIMIT", 0, limit + 1)
local more = #lanes > limit
if more then lanes[#lanes] = nil end
if ARGV[4] == "1" or #lanes == 0 and not more then answered("delivery") end
if more then more_hands("delivery", at) end
if #lanes == 0 then return lanes end
local due, held = {}, {}
local lease_end = string.format("%d", at + ARGV[2])
for i, lane in ipairs(lanes) do
  due[2 * i - 1], due[2 * i] = lease_end, lane
  held[2 * i - 1], held[2 * i] = lane, ARGV[3]
end
redis.call("ZADD", K.outbox_due, unpack(due))
redis.call("HSET", K.leases, unpack(held))
return lanes
