-- cache_invalidate: nothing computed until now counts any more for a tag, however many values carry it.
--   K.cache_tag(tag)
--   ARGV   tag, longest life of a value (ms): after it no value from before is left, so the mark may go
-- include: clock
redis.call("SET", K.cache_tag(ARGV[1]), string.format("%d", now()), "PX", ARGV[2])
return 1
