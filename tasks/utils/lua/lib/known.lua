-- decided(id, was_in_inbox): take an event out of the inbox; its state, reason and into if somebody has decided on it before, else nil,
--   whether it was let go by a hold (see release.lua), the newer event that has outdated it since,
--   and when it was accepted first and last (ms) if it was replayed.
local function decided(id, was_in_inbox)
  if was_in_inbox then
    redis.call("ZREM", K.inbox_due, id)
    redis.call("HDEL", K.inbox, id)
    redis.call("HDEL", K.inbox_tries, id)
  end
  local known = redis.call("HMGET", K.event(id), "state", "reason", "into", "released", "replayed", "accepted")
  if known[1] then return {known[1], known[2] or "", known[3] or ""} end
  return nil, known[4] == "1", known[3] or nil, tonumber(known[5] or nil), tonumber(known[6] or nil)
end
