-- result_forget: delete what a task answered, unless it has answered anew.
--   K.result(id)   see tasks/logs/rows.py
--   ARGV           id, the answer that is known
-- Returns 1, or 0 where it is another one by now.
if redis.call("GET", K.result(ARGV[1])) ~= ARGV[2] then return 0 end
return redis.call("DEL", K.result(ARGV[1]))
