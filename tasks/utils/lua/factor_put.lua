-- factor_put: keep a person's second factor, or that it is gone, if it still is what the caller has seen.
--   K.factors         person -> encrypted; "" where it was removed, so that a loss is told from a removal
--   K.factor(person)  hash: how codes of it fared; gone when another secret takes its place
--   ARGV              person, what was seen ("" for none), what takes its place, 1 if it is another secret
-- Returns 1; 0 if somebody was quicker.
if (redis.call("HGET", K.factors, ARGV[1]) or "") ~= ARGV[2] then return 0 end
redis.call("HSET", K.factors, ARGV[1], ARGV[3])
if ARGV[4] == "1" then redis.call("DEL", K.factor(ARGV[1])) end
return 1
