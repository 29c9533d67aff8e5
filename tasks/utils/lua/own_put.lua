-- own_put: keep how an own alert stands, unless the data set it was read from is gone: what was told of that one is told of this one anew.
--   K.own_alerts   name -> how it stands, as JSON
--   K.epoch        when this data set began
--   ARGV           name, how it stands ("" = forget it), epoch of the data set that was read
-- Returns 1 if kept.
if (redis.call("GET", K.epoch) or "") ~= ARGV[3] then return 0 end
if ARGV[2] == "" then redis.call("HDEL", K.own_alerts, ARGV[1]) else redis.call("HSET", K.own_alerts, ARGV[1], ARGV[2]) end
return 1
