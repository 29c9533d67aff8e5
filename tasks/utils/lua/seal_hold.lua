-- seal_hold: keep the right to seal for one more lease.
--   K.seal   see seal_begin.lua
--   ARGV     token, lease (milliseconds)
-- Returns 1, or 0 when somebody else has taken over, or Redis lost everything since.
-- include: clock
if redis.call("HGET", K.seal, "holder") ~= ARGV[1] then return 0 end
redis.call("HSET", K.seal, "until", string.format("%d", now() + ARGV[2]))
return 1
