-- seal_commit: note how far the ledger is sealed; from here on those entries may leave the stream.
--   K.seal   see seal_begin.lua
--   ARGV     token, id, n, hash of the last entry that is safely in the archive, lease (milliseconds, renewed here)
-- Returns 1, or 0 when somebody else has taken over: nothing is noted then.
-- include: clock
if redis.call("HGET", K.seal, "holder") ~= ARGV[1] then return 0 end
redis.call("HSET", K.seal, "id", ARGV[2], "n", ARGV[3], "hash", ARGV[4], "until", string.format("%d", now() + ARGV[5]))
return 1
