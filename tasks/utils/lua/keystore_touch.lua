-- keystore_touch: have every process look for keys again, also where none of them was changed here.
--   K.keystore_version   changed with every change; see keystore_put
-- include: clock
redis.call("SET", K.keystore_version, string.format("%d", math.max(now(), tonumber(redis.call("GET", K.keystore_version) or 0) + 1)))
