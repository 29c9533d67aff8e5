-- factor_restore: put a second factor back that Redis has lost, unless somebody was quicker.
--   K.factors         person -> encrypted; "" where it was removed
--   K.factor(person)  hash: step (of the last code taken)
--   ARGV              person, their second factor, length of a step (ms), steps that a phone may be ahead
-- Which codes were taken is lost as well, so that none of a step is taken that could have been used by now.
-- include: clock
if redis.call("HSETNX", K.factors, ARGV[1], ARGV[2]) == 0 then return 0 end
redis.call("HSET", K.factor(ARGV[1]), "step", string.format("%.0f", math.floor(now() / ARGV[3]) + ARGV[4]))
return 1
