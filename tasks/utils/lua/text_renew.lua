-- text_renew: put a text whose fields were encrypted anew in the place of the former one, if that still stands there.
--   K.event(id), K.alert(id), K.inbox   hashes that hold alerts
--   ARGV                                event | alert | inbox, id, field, former text, new one
-- Returns 1; 0 if it was changed, or is gone.
local places = { event = K.event(ARGV[2]), alert = K.alert(ARGV[2]), inbox = K.inbox }
local place = places[ARGV[1]]
if redis.call("HGET", place, ARGV[3]) ~= ARGV[4] then return 0 end
redis.call("HSET", place, ARGV[3], ARGV[5])
return 1
