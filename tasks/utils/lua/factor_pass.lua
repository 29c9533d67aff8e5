-- factor_pass: take a right code, each only once.
--   K.factor(person)  hash: step (of the last code taken), tries, locks, locked_until, used_at (ms)
--   ARGV              person, step of the code; nothing for a recovery code
-- Returns 1; 0 if this code, or a later one, was taken before: it stays counted as a try.
-- include: clock
local row = K.factor(ARGV[1])
if ARGV[2] ~= "" then
  if tonumber(ARGV[2]) <= tonumber(redis.call("HGET", row, "step") or 0) then return 0 end
  redis.call("HSET", row, "step", ARGV[2])
end
redis.call("HDEL", row, "tries", "locks", "locked_until")
redis.call("HSET", row, "used_at", now())
return 1
