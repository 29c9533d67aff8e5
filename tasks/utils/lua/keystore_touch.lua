-- keystore_touch: have every process read its encryption keys anew, those that commands print among them.
--   K.keys_asked   when that was asked for last
-- include: clock
redis.call("SET", K.keys_asked, string.format("%d", math.max(now(), tonumber(redis.call("GET", K.keys_asked) or 0) + 1)))
