-- rule_put: write one silence (or own maintenance window), new or changed, and forget those that ended long ago.
--   K.rules           silence id -> JSON; K.rules_version is raised, so that whoever decides on alerts reads them again
--   K.holds_due       its hold -> when it ends; K.wake, for a pump that would sleep longer
--   ARGV              id, JSON, name of its hold, end (ms), ids to forget
-- include: clock
-- include: wake
redis.call("HSET", K.rules, ARGV[1], ARGV[2])
for i = 5, #ARGV do redis.call("HDEL", K.rules, ARGV[i]) end
redis.call("INCR", K.rules_version)
due_at(K.holds_due, ARGV[3], ARGV[4])
return now()
