-- read_bundle: everything a message says of its members.
--   K.event(id), K.labels
--   ARGV   ids of events
-- Returns for each: id, action, when received (ms), service, severity, body, labels (see kept_labels.py; "" = none),
--   and where it was told because an endpoint is left alone: `<endpoint> <since, ms> <forced|>` ("" = it was not).
local found = {}
for _, id in ipairs(ARGV) do
  local known = redis.call("HMGET", K.event(id), "action", "received", "service", "severity", "body", "alert", "uid", "down", "accepted")
  local labels = redis.call("HGET", K.labels, known[6] or known[7] or "")
  found[#found + 1] = {id, known[1] or "", known[2] or known[9] or "0", known[3] or "", known[4] or "", known[5] or "{}", labels or "", known[8] or ""}
end
return found
