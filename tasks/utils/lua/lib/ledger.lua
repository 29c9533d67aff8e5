-- record(at, id, step, reason, detail): one line of an event's story. Every entry has the same five fields: a stream stores those compactly.
local function record(at, id, step, reason, detail)
  redis.call("XADD", K.ledger, "*", "e", id, "s", step, "r", reason or "", "d", detail or "", "t", string.format("%d", at))
end
