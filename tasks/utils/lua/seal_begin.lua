-- seal_begin: give the right to seal the ledger to one caller at a time. It lapses at the lease's end.
--   K.seal   hash: id, n, hash of the last sealed entry · trimmed (id of the last entry taken out of the stream)
--            · holder, until (who seals, and its lease's end) · look (see archive_alerts.lua)
--   ARGV     token of the caller, lease (milliseconds)
-- Returns 1 if the right is yours; else 0.
-- include: clock
local at = now()
local held = redis.call("HMGET", K.seal, "holder", "until")
if held[1] and held[1] ~= ARGV[1] and tonumber(held[2]) > at then return 0 end
redis.call("HSET", K.seal, "holder", ARGV[1], "until", string.format("%d", at + ARGV[2]))
return 1
