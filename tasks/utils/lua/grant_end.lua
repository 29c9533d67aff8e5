-- grant_end: use a grant up.
--   K.grants   id -> done
--   ARGV       id
if redis.call("HEXISTS", K.grants, ARGV[1]) == 1 then redis.call("HSET", K.grants, ARGV[1], "done") end
return 1
