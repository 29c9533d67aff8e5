-- limit_take: take so much of a limit, or be told how long to wait; see lib/limit.lua.
--   K.limit(name), K.limits
--   ARGV   name, ms for one, most at once, cost
-- Returns ms to wait; 0 = it is taken.
-- include: clock
-- include: limit
return take_from(ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), now())
