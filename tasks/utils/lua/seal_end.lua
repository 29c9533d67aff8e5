-- seal_end: give the right to seal back.
--   K.seal   see seal_begin.lua
--   ARGV     token
-- Returns 1, or 0 when it had been taken over.
if redis.call("HGET", K.seal, "holder") ~= ARGV[1] then return 0 end
redis.call("HDEL", K.seal, "holder", "until")
return 1
