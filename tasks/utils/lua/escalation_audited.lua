-- escalation_audited: write down that somebody looked after the timers.
--   K.escalation_counts   audited (ms), look (where the next look at the alerts goes on), and what was found, added up
--   ARGV                  look, then name and number of each kind of finding
-- include: clock
redis.call("HSET", K.escalation_counts, "audited", string.format("%d", now()), "look", ARGV[1])
for i = 2, #ARGV, 2 do
  if ARGV[i + 1] ~= "0" then redis.call("HINCRBY", K.escalation_counts, ARGV[i], ARGV[i + 1]) end
end
return 1
