-- shrink(id, at, state, reason): of an event whose story has ended, keep what is still asked for until the archive takes it; the ledger has the rest.
--   K.event(id)   state, reason, into: what a message that comes again is answered with · uid, action: whose news it was; service: of a change, which
--                 has no alert to ask · accepted, replayed: see lib/overtaken.lua · members: for an answer that comes late; a bundle that was sent
--                 has none any more
--   K.closed      when its story ended (ms), a space, its id
-- `state` and `reason`: what they become, if they are not written yet. The hash is made anew, see lib/remake.lua.
local RECORD = {"state", "reason", "uid", "action", "accepted", "into", "replayed", "members"}

local function shrink(id, at, state, reason)
  local event, kept = K.event(id), {}
  local known = redis.call("HMGET", event, unpack(RECORD))
  known[1], known[2] = state or known[1], reason or known[2]
  for i, value in ipairs(known) do
    if value then
      kept[#kept + 1] = RECORD[i]
      kept[#kept + 1] = value
    end
    if value == "change" and RECORD[i] == "action" then
      kept[#kept + 1] = "service"
      kept[#kept + 1] = redis.call("HGET", event, "service") or ""
    end
  end
  redis.call("DEL", event)
  redis.call("HSET", event, unpack(kept))
  redis.call("RPUSH", K.closed, string.format("%d %s", at, id))
end
