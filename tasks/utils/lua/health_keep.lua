-- health_keep: keep what was found when health was looked at, and one line of it for the history.
--   K.health        hash: quick | full -> the whole of it, as JSON
--   K.health_runs   stream: k quick or full, s status, f what failed or warns, a comma between; t time (ms)
--   ARGV            quick or full, the whole as JSON, status, what failed or warns
-- include: clock
local KEPT = 20000
redis.call("HSET", K.health, ARGV[1], ARGV[2])
redis.call("XADD", K.health_runs, "MAXLEN", "~", KEPT, "*", "k", ARGV[1], "s", ARGV[3], "f", ARGV[4], "t", string.format("%d", now()))
